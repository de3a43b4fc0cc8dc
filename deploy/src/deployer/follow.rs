//! What became of a switch whose connection was lost.

use std::time::Duration;

use cairn_generation::GenerationId;
use cairn_generation::wire::{HistoryEntry, HostStatus, Mode, Outcome};
use tokio::time::Instant;

use super::{Attempt, Goal};
use crate::error::{Cause, Error, Lost};
use crate::event::{HostEvent, Quiet};
use crate::session::Session;

const PAUSE: Duration = Duration::from_secs(1);

impl Attempt<'_> {
    /// The session ended with `error` while the switch was under way. The host goes on by itself, so
    /// it is asked until it has decided; it may still be waiting for its confirmation.
    pub(super) async fn after_loss(&self, error: Error, goal: Goal) -> Result<Outcome, Error> {
        if self.how.mode == Mode::DryActivate {
            return Err(error);
        }
        // Whatever broke the conversation, the host goes on.
        let (during, message) = match error.cause().clone() {
            Cause::ConnectionLost { during, message, .. } => (during, message),
            other => ("during the switch".to_owned(), other.to_string()),
        };
        self.tell(&HostEvent::ConnectionLost { message: message.clone() });
        let patience =
            Duration::from_secs(self.how.confirm_timeout.into()) + self.deployer.patience;
        let mut deadline = Instant::now() + patience;
        let mut why = message;
        while Instant::now() < deadline {
            let connected = self.deployer.connect(self.target, &Quiet);
            if let Ok(Ok(mut session)) = tokio::time::timeout_at(deadline, connected).await {
                let mut under_way = false;
                match self.ask_until_decided(&mut session, goal, &mut under_way).await {
                    Ok(verdict) => return verdict,
                    Err(error) if !matches!(error.cause(), Cause::ConnectionLost { .. }) => {
                        // Asking again would be answered alike.
                        why = format!("{why}; asked again: {}", error.cause());
                        break;
                    }
                    Err(_) => {}
                }
                // The host has a deadline of its own as long as it is at work.
                if under_way {
                    deadline = Instant::now() + patience;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        let effect = Lost::Switch;
        Err(self.error(Cause::ConnectionLost { during, message: why, effect }))
    }

    /// # Errors
    /// The outer one when this session fails too.
    async fn ask_until_decided(
        &self,
        session: &mut Session,
        goal: Goal,
        under_way: &mut bool,
    ) -> Result<Result<Outcome, Error>, Error> {
        let mut idle = 0;
        loop {
            let status = session.status().await?;
            *under_way = status.switching;
            if !status.switching {
                // The engine may not have begun when the connection was lost: it is asked twice.
                idle += 1;
                if self.there(&status, goal) || idle == 2 {
                    let last = session.history().await?.entries.pop();
                    return Ok(self.verdict(&status, last, goal));
                }
            }
            match session.confirm(&self.nonce).await {
                // Not waiting for it yet, or not any more.
                Err(error) if matches!(error.cause(), Cause::Failed { .. }) => {}
                other => other?,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Number and id of what the switch changes, as the host has them now.
    pub(super) fn place(&self, status: &HostStatus) -> (u64, Option<GenerationId>) {
        match self.how.mode {
            Mode::Boot => match status.next {
                Some(next) => (next, status.kept.get(&next).copied()),
                None => (status.confirmed, status.confirmed_id),
            },
            _ => (status.generation, status.id),
        }
    }

    fn there(&self, status: &HostStatus, goal: Goal) -> bool {
        let (number, id) = self.place(status);
        match goal {
            Goal::Id(goal) => id == Some(goal),
            Goal::OtherThan(before) => number != before,
        }
    }

    fn verdict(
        &self,
        status: &HostStatus,
        last: Option<HistoryEntry>,
        goal: Goal,
    ) -> Result<Outcome, Error> {
        let (generation, id) = self.place(status);
        if self.there(status, goal) {
            let timings = last.map(|entry| entry.timings).unwrap_or_default();
            return Ok(Outcome { changed: true, generation, id, timings });
        }
        let why = last.and_then(|entry| entry.cause).map_or_else(String::new, |c| format!(": {c}"));
        let message = format!(
            "the connection was lost during the switch, and the host is in generation {generation}{why}"
        );
        Err(self.error(Cause::Failed { step: None, message, unchanged: true }))
    }
}
