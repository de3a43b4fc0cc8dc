//! What happens on hosts, while it happens: a live line for each on a terminal, a line for each
//! event with `-v`, an object for each with `--format json`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cairn_deploy::{HostEvent, Observer};
use cairn_generation::wire::{Action, Drift, Event, Step};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::style::{CHANGED, DIM, paint};
use crate::ui::Ui;

/// Watches hosts. Clones watch together.
#[derive(Clone)]
pub(crate) struct Live {
    ui: Ui,
    hosts: Arc<Mutex<BTreeMap<String, Watched>>>,
}

/// What was seen of one host.
struct Watched {
    line: ProgressBar,
    since: Instant,
    actions: Vec<Action>,
    drift: Vec<Drift>,
}

/// What happened on a host, and how long it took as seen from here.
pub(crate) struct Seen {
    pub(crate) actions: Vec<Action>,
    /// What was not as it should be, and was put right.
    pub(crate) drift: Vec<Drift>,
    pub(crate) took: Duration,
}

impl Live {
    /// Watches these hosts, from now on.
    pub(crate) fn new(ui: &Ui, hosts: &[String]) -> Live {
        let width = hosts.iter().map(String::len).max().unwrap_or(0);
        let watch = |host: &String| {
            let line = ui.progress().add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg}") {
                line.set_style(style);
            }
            line.set_prefix(format!("{host:<width$}"));
            line.enable_steady_tick(Duration::from_millis(100));
            let (since, actions, drift) = (Instant::now(), Vec::new(), Vec::new());
            (host.clone(), Watched { line, since, actions, drift })
        };
        let hosts = hosts.iter().map(watch).collect();
        Live { ui: ui.clone(), hosts: Arc::new(Mutex::new(hosts)) }
    }

    /// Something happened on a host itself.
    pub(crate) fn wire(&self, host: &str, event: &Event) {
        self.ui.object(&object(host, event, "event"));
        match event {
            Event::Step { step } => self.say(host, words(*step)),
            Event::Action(action) => self.update(host, |host| host.actions.push(action.clone())),
            Event::Drift(drift) => self.update(host, |host| host.drift.push(drift.clone())),
            Event::AwaitingConfirmation { .. } => self.say(host, "waiting for the confirmation"),
            Event::Warning { message } => {
                let sign = paint(CHANGED.bold(), "warning:");
                self.ui.note(format_args!("{sign} {host}: {message}"));
            }
            _ => {}
        }
    }

    /// The end of what there is to see of a host.
    pub(crate) fn end(&self, host: &str) -> Seen {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        match hosts.remove(host) {
            Some(watched) => {
                watched.line.finish_and_clear();
                let Watched { actions, drift, since, .. } = watched;
                Seen { actions, drift, took: since.elapsed() }
            }
            None => Seen { actions: Vec::new(), drift: Vec::new(), took: Duration::ZERO },
        }
    }

    fn say(&self, host: &str, words: impl Into<String>) {
        let words = words.into();
        if self.ui.verbose() > 0 && !self.ui.is_json() {
            self.ui.note(paint(DIM, format_args!("{host}: {words}")));
        }
        self.update(host, |host| host.line.set_message(words));
    }

    fn update(&self, host: &str, change: impl FnOnce(&mut Watched)) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(host) {
            change(host);
        }
    }
}

impl Observer for Live {
    fn event(&self, host: &str, event: &HostEvent) {
        if let HostEvent::Host(event) = event {
            return self.wire(host, event);
        }
        self.ui.object(&object(host, event, "type"));
        match event {
            HostEvent::Connecting { to } => self.say(host, format!("connecting to {to}")),
            HostEvent::Connected { .. } => self.say(host, "connected"),
            HostEvent::SendingActivator { bytes, .. } => {
                self.say(host, format!("sending the activator ({})", HumanBytes(*bytes)));
            }
            HostEvent::Sending { blobs, blobs_total, bytes, bytes_total } => {
                let (sent, all) = (HumanBytes(*bytes), HumanBytes(*bytes_total));
                let words = format!("sending blobs: {blobs} of {blobs_total}, {sent} of {all}");
                self.update(host, |host| host.line.set_message(words));
            }
            HostEvent::Confirming => self.say(host, "confirming over a new connection"),
            HostEvent::ConnectionLost { message } => {
                self.say(host, format!("the connection was lost: {message}"));
            }
            HostEvent::Host(_) => {}
        }
    }
}

/// An event as an object with the host's name; its tag is the object's `type`.
fn object(host: &str, event: &impl Serialize, tag: &str) -> Json {
    let mut object = serde_json::to_value(event).unwrap_or_else(|_| json!({}));
    if let Some(members) = object.as_object_mut() {
        if let Some(kind) = members.remove(tag) {
            members.insert("type".to_owned(), kind);
        }
        members.insert("host".to_owned(), json!(host));
    }
    object
}

fn words(step: Step) -> &'static str {
    match step {
        Step::Stage => "staging",
        Step::Preflight => "trying everything that can fail",
        Step::Journal => "writing down what will be done",
        Step::ArmWatchdog => "arming the watchdog",
        Step::Prepare => "packages and users; stopping units",
        Step::Flip => "flipping to the new generation",
        Step::Activate => "kernel, firewall; starting units",
        Step::Check => "health checks",
        Step::Confirm => "confirming",
        Step::RollBack => "going back",
    }
}
