//! Many hosts at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::error::{Cause, Error};
use crate::target::Target;

/// How many hosts are worked on at once when nobody says otherwise.
pub const PARALLEL: usize = 10;

/// Does `work` on every host, at most `parallel` (at least one) at a time, and gives the results in the
/// order of `hosts`. A host that fails stops no other. Dropping the future stops all work here; a
/// switch under way on a host goes on there, and ends as if the connection had been lost.
pub async fn run<T, R, W, F>(
    hosts: Vec<(Target, T)>,
    parallel: usize,
    work: W,
) -> Vec<(String, Result<R, Error>)>
where
    R: Send + 'static,
    W: Fn(Target, T) -> F,
    F: Future<Output = Result<R, Error>> + Send + 'static,
{
    let seats = Arc::new(Semaphore::new(parallel.max(1)));
    let mut results: Vec<_> = hosts.iter().map(|(target, _)| (target.name.clone(), None)).collect();
    let mut tasks = JoinSet::new();
    for (index, (target, item)) in hosts.into_iter().enumerate() {
        let (seats, job) = (Arc::clone(&seats), work(target, item));
        tasks.spawn(async move {
            // The semaphore is never closed, so there always is a seat in the end.
            let _seat = seats.acquire().await;
            (index, job.await)
        });
    }
    while let Some(done) = tasks.join_next().await {
        // A task that ended abnormally leaves its place empty.
        if let Ok((index, result)) = done
            && let Some((_, place)) = results.get_mut(index)
        {
            *place = Some(result);
        }
    }
    let stopped = |host: &str| {
        let message = "work on this host ended abnormally".to_owned();
        Error::new(host, None, Cause::Internal { message })
    };
    results
        .into_iter()
        .map(|(host, result)| {
            let result = result.unwrap_or_else(|| Err(stopped(&host)));
            (host, result)
        })
        .collect()
}
