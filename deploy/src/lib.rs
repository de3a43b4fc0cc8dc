//! Fleets over SSH: sessions, transfer, waves, confirmation.
