//! A stated subset of OpenSSH's client configuration.
