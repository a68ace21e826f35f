//! Which pods may use an image that is on the node, Kubernetes 1.36.2: `pkg/kubelet/images/pullmanager` (gate
//! KubeletEnsureSecretPulledImages), with the policies of `image_pull_policies.go`.

use super::image_name::repository;
use super::keyring::{SecretCoordinates, TrackedAuthConfig};
use crate::environment::Credential;
use arcstr::ArcStr;
use std::collections::BTreeMap;

/// From so many Secrets on a record does not grow when it is only read.
const WRITE_WHILE_MATCHING_LIMIT: usize = 100;

/// When a pod must show that it may use an image that is on the node (`imagePullCredentialsVerificationPolicy`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CredentialVerification {
    /// Never.
    NeverVerify,
    /// Unless the image was not pulled by the kubelet. The default.
    #[default]
    NeverVerifyPreloadedImages,
    /// Unless the image is on this list: repositories in full, or their beginnings, which end in `/*`.
    NeverVerifyAllowlistedImages(Vec<ArcStr>),
    /// Always.
    AlwaysVerify,
}

impl CredentialVerification {
    fn requires(&self, repository: &str, pulled_by_kubelet: bool) -> bool {
        match self {
            Self::NeverVerify => false,
            Self::NeverVerifyPreloadedImages => pulled_by_kubelet,
            Self::NeverVerifyAllowlistedImages(list) => {
                !list.iter().any(|allowed| match allowed.strip_suffix('*') {
                    Some(prefix) => repository.starts_with(prefix),
                    None => repository == allowed,
                })
            }
            Self::AlwaysVerify => true,
        }
    }
}

/// With which credentials an image was pulled, by a name that pods have for it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PullCredentials {
    /// Without any: every pod of the node may use it.
    NodePodsAccessible,
    /// The hash that upstream keeps of a credential stands for it; here it is the credential itself.
    Secrets(BTreeMap<SecretCoordinates, (Credential, ArcStr)>),
}

/// What one kubelet keeps of its pulls.
#[derive(Clone, Debug, Default)]
pub(super) struct PullRecords {
    policy: CredentialVerification,
    /// By the runtime's name of an image, then by repository.
    pulled: BTreeMap<ArcStr, BTreeMap<ArcStr, PullCredentials>>,
    /// Pulls under way, by image as written.
    intents: BTreeMap<ArcStr, u32>,
}

impl PullRecords {
    /// No pulls yet.
    pub(super) fn new(policy: CredentialVerification) -> Self {
        Self { policy, ..Self::default() }
    }

    /// A pull begins.
    pub(super) fn record_intent(&mut self, image: &ArcStr) {
        *self.intents.entry(image.clone()).or_default() += 1;
    }

    /// A pull has failed.
    pub(super) fn record_failed(&mut self, image: &ArcStr) {
        let count = self.intents.get_mut(image).expect("a pull that ends has begun");
        *count -= 1;
        if *count == 0 {
            self.intents.remove(image);
        }
    }

    /// A pull has succeeded, with a Secret's credential or without any.
    pub(super) fn record_pulled(
        &mut self,
        image: &ArcStr,
        reference: &ArcStr,
        used: Option<&TrackedAuthConfig>,
    ) {
        let name = repository(image).expect("what was pulled has a name");
        let names = self.pulled.entry(reference.clone()).or_default();
        let known = names.entry(name).or_insert_with(|| PullCredentials::Secrets(BTreeMap::new()));
        match (used, known) {
            (None, known) => *known = PullCredentials::NodePodsAccessible,
            (Some(_), PullCredentials::NodePodsAccessible) => {}
            (Some(used), PullCredentials::Secrets(secrets)) => keep(secrets, used),
        }
        self.record_failed(image);
    }

    /// Whether a pod must pull an image that is on the node, to show that it may use it.
    pub(super) fn must_attempt_pull(
        &mut self,
        image: &ArcStr,
        reference: &ArcStr,
        look_up: impl FnOnce() -> Result<Vec<TrackedAuthConfig>, String>,
    ) -> Result<bool, String> {
        let record = self.pulled.get_mut(reference);
        let by_kubelet = record.is_some() || self.intents.contains_key(image);
        let name = repository(image).expect("the image has a name");
        if !self.policy.requires(&name, by_kubelet) {
            return Ok(false);
        }
        match record.and_then(|names| names.get_mut(&name)) {
            None => Ok(true),
            Some(PullCredentials::NodePodsAccessible) => Ok(false),
            Some(PullCredentials::Secrets(secrets)) => Ok(!look_up()?.iter().any(|own| fits(secrets, own))),
        }
    }
}

/// Whether a credential, or another one out of the same Secret, has pulled the image; if so it is kept.
fn fits(secrets: &mut BTreeMap<SecretCoordinates, (Credential, ArcStr)>, own: &TrackedAuthConfig) -> bool {
    let small = secrets.len() < WRITE_WHILE_MATCHING_LIMIT;
    let same = |(coordinates, hash): (&SecretCoordinates, &(Credential, ArcStr))| {
        (*coordinates == own.secret, hash.0 == own.credential && hash.1 == own.email)
    };
    let first = secrets.iter().map(same).find(|(coordinates, hash)| *hash || (*coordinates && small));
    if first.is_some_and(|(coordinates, hash)| small && !(coordinates && hash)) {
        keep(secrets, own);
    }
    first.is_some()
}

fn keep(secrets: &mut BTreeMap<SecretCoordinates, (Credential, ArcStr)>, used: &TrackedAuthConfig) {
    secrets.insert(used.secret.clone(), (used.credential.clone(), used.email.clone()));
}

#[cfg(test)]
mod tests {
    use super::{CredentialVerification, PullRecords};
    use crate::controllers::kubelet::keyring::{SecretCoordinates, TrackedAuthConfig};
    use crate::environment::Credential;
    use arcstr::{ArcStr, literal};

    const IMAGE: ArcStr = literal!("registry.example/app:v1");

    fn auth(secret: &str, password: &str) -> TrackedAuthConfig {
        let secret = SecretCoordinates { namespace: "ns".into(), name: secret.into(), uid: secret.into() };
        let credential = Credential { user: "bob".into(), password: password.into() };
        TrackedAuthConfig { credential, email: ArcStr::new(), secret }
    }

    fn must(records: &mut PullRecords, own: Option<TrackedAuthConfig>) -> bool {
        let look_up = || Ok(own.into_iter().collect());
        records.must_attempt_pull(&IMAGE, &IMAGE, look_up).expect("well formed")
    }

    #[test]
    fn a_rotated_secret_is_trusted_and_its_new_credential_kept() {
        let mut records = PullRecords::default();
        records.record_intent(&IMAGE);
        records.record_pulled(&IMAGE, &IMAGE, Some(&auth("a", "old")));
        assert!(must(&mut records, Some(auth("b", "new"))), "another Secret, another credential");
        assert!(!must(&mut records, Some(auth("a", "new"))), "the same Secret");
        assert!(!must(&mut records, Some(auth("b", "new"))), "the same credential as the Secret now has");
        assert!(must(&mut records, None));
    }

    #[test]
    fn what_was_pulled_without_credentials_is_for_all() {
        let mut records = PullRecords::default();
        records.record_intent(&IMAGE);
        records.record_pulled(&IMAGE, &IMAGE, Some(&auth("a", "pw")));
        records.record_intent(&IMAGE);
        records.record_pulled(&IMAGE, &IMAGE, None);
        assert!(!must(&mut records, None));
    }

    #[test]
    fn an_image_that_came_along_is_for_all_unless_somebody_pulls_it() {
        let mut records = PullRecords::default();
        assert!(!must(&mut records, None));
        records.record_intent(&IMAGE);
        assert!(must(&mut records, None), "a pull is under way");
        records.record_failed(&IMAGE);
        assert!(!must(&mut records, None));
        assert!(must(&mut PullRecords::new(CredentialVerification::AlwaysVerify), None));
    }
}
