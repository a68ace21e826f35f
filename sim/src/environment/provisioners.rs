//! Storage drivers that do not work.

use arcstr::ArcStr;
use std::collections::BTreeMap;

/// How the provisioner of a storage driver does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvisionerState {
    /// It makes every volume that is asked for.
    Works,
    /// Nobody answers: its pod is not there.
    Down,
    /// It answers every request with this error.
    Fails(ArcStr),
}

/// Storage drivers by the name that their classes give; all work unless broken.
#[derive(Debug, Default)]
pub struct Provisioners(BTreeMap<ArcStr, ProvisionerState>);

impl Provisioners {
    /// Breaks a driver from now on; volumes that exist go on working.
    pub fn break_driver(&mut self, driver: impl Into<ArcStr>, state: ProvisionerState) {
        self.0.insert(driver.into(), state);
    }

    /// The driver works again.
    pub fn heal_driver(&mut self, driver: &str) {
        self.0.remove(driver);
    }

    /// How a driver does.
    pub fn state(&self, driver: &str) -> &ProvisionerState {
        self.0.get(driver).unwrap_or(&ProvisionerState::Works)
    }
}
