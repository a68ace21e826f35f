//! Container images and the registries that hold them.

use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::Time;

/// An image that can be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its size.
    pub size_bytes: u64,
}

/// Who asks a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// A name.
    pub user: ArcStr,
    /// The password that goes with it.
    pub password: ArcStr,
}

/// What a pull comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// How long it takes.
    pub takes: Duration,
    /// The image, or the runtime's words.
    pub result: Result<Image, ArcStr>,
}

/// What pulls of an image come to that start before an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptedPull {
    /// It goes for pulls that start earlier; for all others when absent.
    pub before: Option<Time>,
    /// What the pull comes to.
    pub pull: Pull,
}

/// Container images by reference; everything else is not found.
#[derive(Debug)]
pub struct Registry {
    images: BTreeMap<ArcStr, Image>,
    scripts: BTreeMap<ArcStr, Vec<ScriptedPull>>,
    /// Images that only one credential may pull.
    private: BTreeMap<ArcStr, Credential>,
    down: BTreeSet<ArcStr>,
    /// Bytes a second of one pull.
    pub bandwidth: u64,
    /// How long a registry takes to answer, be it with an image's first byte or with a refusal.
    pub answer: Duration,
}

impl Default for Registry {
    /// No images, 100 MB/s, answers after 1 s.
    fn default() -> Self {
        Self {
            images: BTreeMap::new(),
            scripts: BTreeMap::new(),
            private: BTreeMap::new(),
            down: BTreeSet::new(),
            bandwidth: 100_000_000,
            answer: Duration::from_secs(1),
        }
    }
}

impl Registry {
    /// Makes an image available, as a push does.
    pub fn push(&mut self, reference: impl Into<ArcStr>, image: Image) {
        self.images.insert(reference.into(), image);
    }

    /// Takes an image away.
    pub fn remove(&mut self, reference: &str) {
        self.images.remove(reference);
    }

    /// Only this credential may pull an image.
    pub fn protect(&mut self, reference: impl Into<ArcStr>, credential: Credential) {
        self.private.insert(reference.into(), credential);
    }

    /// Everybody may pull an image.
    pub fn open(&mut self, reference: &str) {
        self.private.remove(reference);
    }

    /// No image of this host (`registry.example`) can be pulled.
    pub fn break_host(&mut self, host: impl Into<ArcStr>) {
        self.down.insert(host.into());
    }

    /// The host answers again.
    pub fn heal_host(&mut self, host: &str) {
        self.down.remove(host);
    }

    /// Determines what pulls of an image come to: each takes the first entry whose `before` lies after its start.
    pub fn script(&mut self, reference: impl Into<ArcStr>, pulls: Vec<ScriptedPull>) {
        self.scripts.insert(reference.into(), pulls);
    }

    /// What a pull comes to that starts at an instant.
    pub fn pull_at(&self, reference: &str, by: Option<&Credential>, now: Time) -> Pull {
        if self.refuses(reference, by) {
            return self.pull(reference, by);
        }
        let script = if self.scripts.is_empty() { None } else { self.scripts.get(reference) };
        let goes = |entry: &&ScriptedPull| entry.before.is_none_or(|before| now < before);
        match script.and_then(|entries| entries.iter().find(goes)) {
            Some(entry) => entry.pull.clone(),
            None => self.pull(reference, by),
        }
    }

    /// What a pull comes to. Texts as containerd gives them; a real one may differ in detail.
    pub fn pull(&self, reference: &str, by: Option<&Credential>) -> Pull {
        let host = host(reference);
        if self.down.contains(host) {
            let error = arcstr::format!(
                "rpc error: code = Unavailable desc = failed to pull and unpack image \"{reference}\": failed to resolve \
                 reference \"{reference}\": failed to do request: Head \"https://{host}/v2/\": dial tcp: connection refused"
            );
            return Pull { takes: self.answer, result: Err(error) };
        }
        if self.refuses(reference, by) {
            let error = arcstr::format!(
                "rpc error: code = Unknown desc = failed to pull and unpack image \"{reference}\": failed to resolve \
                 reference \"{reference}\": pull access denied, repository does not exist or may require authorization: \
                 server message: insufficient_scope: authorization failed"
            );
            // The registry asks for a token, and the token's server does not give one.
            return Pull { takes: self.answer.saturating_mul(2), result: Err(error) };
        }
        match self.images.get(reference) {
            Some(image) => {
                let nanos = u128::from(image.size_bytes) * 1_000_000_000 / u128::from(self.bandwidth.max(1));
                let transfer = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
                Pull { takes: self.answer.saturating_add(transfer), result: Ok(*image) }
            }
            None => {
                let error = arcstr::format!(
                    "rpc error: code = NotFound desc = failed to pull and unpack image \"{reference}\": failed to resolve \
                     reference \"{reference}\": {reference}: not found"
                );
                Pull { takes: self.answer, result: Err(error) }
            }
        }
    }

    fn refuses(&self, reference: &str, by: Option<&Credential>) -> bool {
        !self.private.is_empty() && self.private.get(reference).is_some_and(|only| by != Some(only))
    }
}

/// The registry's host of a reference; `docker.io` where none is named.
fn host(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, Image, Registry};
    use std::time::Duration;

    #[test]
    fn a_pull_takes_the_answer_and_the_transfer() {
        let mut registry = Registry::default();
        registry.push("registry.example/disk:v1", Image { size_bytes: 250_000_000 });
        assert_eq!(registry.pull("registry.example/disk:v1", None).takes, Duration::from_millis(3500));
        assert!(registry.pull("registry.example/disk:v2", None).result.is_err());
    }

    #[test]
    fn a_broken_host_refuses_every_image_until_it_is_healed() {
        let mut registry = Registry::default();
        registry.push("registry.example/disk:v1", Image { size_bytes: 1 });
        registry.break_host("registry.example");
        assert!(registry.pull("registry.example/disk:v1", None).result.is_err());
        registry.heal_host("registry.example");
        assert!(registry.pull("registry.example/disk:v1", None).result.is_ok());
    }

    #[test]
    fn a_private_image_is_for_one_credential() {
        let mut registry = Registry::default();
        registry.push("registry.example/disk:v1", Image { size_bytes: 1 });
        let bob = Credential { user: "bob".into(), password: "pw".into() };
        registry.protect("registry.example/disk:v1", bob.clone());
        let refused = registry.pull("registry.example/disk:v1", None);
        assert!(refused.result.is_err_and(|error| error.contains("authorization failed")));
        assert_eq!(refused.takes, Duration::from_secs(2));
        assert!(registry.pull("registry.example/disk:v1", Some(&bob)).result.is_ok());
        registry.open("registry.example/disk:v1");
        assert!(registry.pull("registry.example/disk:v1", None).result.is_ok());
    }
}
