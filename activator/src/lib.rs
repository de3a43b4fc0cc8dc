//! The program on the node: stage, switch, confirm, roll back, recover.
