//! SSH, by russh.

use crate::error::{Cause, Endpoint, Error};
use crate::settings::Settings;
use crate::target::Target;
use crate::transport::{Link, Soon, Transport};

/// A way to hosts over SSH.
pub(crate) struct Ssh {
    settings: Settings,
}

impl Ssh {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Transport for Ssh {
    fn resolve(&self, target: &Target) -> Result<Endpoint, Error> {
        Ok(Endpoint {
            address: target.alias().to_owned(),
            port: target.port.unwrap_or(22),
            user: target.user.clone().unwrap_or_else(|| self.settings.user.clone()),
        })
    }

    fn connect<'a>(&'a self, target: &'a Target) -> Soon<'a, Result<Box<dyn Link>, Error>> {
        Box::pin(async {
            let message = "SSH is not there yet".to_owned();
            Err(Error::new(&target.name, None, Cause::Internal { message }))
        })
    }
}
