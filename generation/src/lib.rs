//! The artifact that both sides share: manifest, id, store, diff, wire frames.
