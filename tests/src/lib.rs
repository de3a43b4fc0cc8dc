//! End-to-end suites on real Debian hosts, golden files, benches.
