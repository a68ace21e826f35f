//! Credentials for registries out of a pod's Secrets, Kubernetes 1.36.2: `pkg/credentialprovider/keyring.go`, `config.go`
//! and `secrets/secrets.go`. A node's own credentials and credential provider plugins are not modelled.

use crate::environment::Credential;
use crate::objects::Secret;
use arcstr::ArcStr;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A credential and the Secret that it comes from (`TrackedAuthConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedAuthConfig {
    /// What the registry gets to see.
    pub credential: Credential,
    /// The mail address beside it, which upstream's hash of a credential covers too.
    pub email: ArcStr,
    /// Where it comes from.
    pub secret: SecretCoordinates,
}

/// Which Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretCoordinates {
    /// Its namespace.
    pub namespace: ArcStr,
    /// Its name.
    pub name: ArcStr,
    /// Its uid.
    pub uid: ArcStr,
}

/// `auths` of one registry.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerConfigEntry {
    username: ArcStr,
    password: ArcStr,
    email: ArcStr,
    /// `user:password` in base64; it overrides the two.
    auth: String,
}

type DockerConfig = BTreeMap<String, DockerConfigEntry>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerConfigJson {
    auths: DockerConfig,
}

/// What fits a repository: the credentials of the most specific registries first, those of one registry in the order
/// of the Secrets (`MakeDockerKeyring`, `Lookup`).
///
/// # Errors
///
/// If a Secret is no configuration: then nothing can be pulled, whatever the other Secrets say.
pub(super) fn look_up(secrets: &[Arc<Secret>], repository: &str) -> Result<Vec<TrackedAuthConfig>, String> {
    let mut index: BTreeMap<Reverse<String>, Vec<TrackedAuthConfig>> = BTreeMap::new();
    for secret in secrets {
        for (location, entry) in docker_config(secret)? {
            let (user, password) = match entry.auth.as_str() {
                "" => (entry.username, entry.password),
                auth => decode_auth(auth)?,
            };
            let meta = &secret.metadata;
            let secret = SecretCoordinates {
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                uid: meta.uid.clone(),
            };
            let credential = Credential { user, password };
            let found = TrackedAuthConfig { credential, email: entry.email, secret };
            index.entry(Reverse(key(&location))).or_default().push(found);
        }
    }
    let fitting = index.iter().filter(|(Reverse(key), _)| urls_match(key, repository));
    let found: Vec<_> = fitting.flat_map(|(_, found)| found.iter().cloned()).collect();
    if found.is_empty() && is_default_registry(repository) {
        return Ok(index.remove(&Reverse("index.docker.io".to_owned())).unwrap_or_default());
    }
    Ok(found)
}

/// What a Secret says of registries; a Secret of another type says nothing.
fn docker_config(secret: &Secret) -> Result<DockerConfig, String> {
    let problem = |error: serde_json::Error| error.to_string();
    match secret.kind.as_str() {
        "kubernetes.io/dockerconfigjson" => {
            secret.bytes(".dockerconfigjson").map_or(Ok(DockerConfig::new()), |bytes| {
                serde_json::from_slice::<DockerConfigJson>(&bytes).map(|json| json.auths).map_err(problem)
            })
        }
        "kubernetes.io/dockercfg" => secret
            .bytes(".dockercfg")
            .map_or(Ok(DockerConfig::new()), |bytes| serde_json::from_slice(&bytes).map_err(problem)),
        _ => Ok(DockerConfig::new()),
    }
}

fn decode_auth(auth: &str) -> Result<(ArcStr, ArcStr), String> {
    let padded = auth.trim().ends_with('=');
    let decoded = if padded { STANDARD.decode(auth) } else { STANDARD_NO_PAD.decode(auth) };
    let decoded = decoded.map_err(|error| error.to_string())?;
    let decoded = String::from_utf8_lossy(&decoded);
    let parts = decoded.split_once(':').map(|(user, password)| (user.into(), password.into()));
    parts.ok_or_else(|| {
        "unable to parse auth field, must be formatted as base64(username:password)".to_owned()
    })
}

/// A registry as the index knows it: without scheme, and without the version of the registry's API.
fn key(location: &str) -> String {
    let bare = location.strip_prefix("https://").or_else(|| location.strip_prefix("http://"));
    let bare = bare.unwrap_or(location);
    let (host, path) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
    let path = if path.starts_with("/v1/") || path.starts_with("/v2/") { &path[3..] } else { path };
    if path == "/" { host.to_owned() } else { format!("{host}{path}") }
}

/// Whether credentials for one registry, whose host may have wild cards, are good for a repository (`URLsMatch`).
fn urls_match(glob: &str, target: &str) -> bool {
    let split = |url: &str| {
        let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
        let parts: Vec<String> = host.split('.').map(str::to_owned).collect();
        (parts, port.to_owned(), path.to_owned())
    };
    let (glob_parts, glob_port, glob_path) = split(glob);
    let (parts, port, path) = split(target);
    glob_port == port
        && glob_parts.len() == parts.len()
        && path.starts_with(&glob_path)
        && glob_parts.iter().zip(&parts).all(|(glob, part)| matches_glob(glob.as_bytes(), part.as_bytes()))
}

/// `filepath.Match` for a part of a host; brackets cannot stand in one.
fn matches_glob(glob: &[u8], text: &[u8]) -> bool {
    match (glob.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|skip| matches_glob(rest, &text[skip..])),
        (Some((b'?', glob)), Some((_, text))) => matches_glob(glob, text),
        (Some((a, glob)), Some((b, text))) => a == b && matches_glob(glob, text),
        _ => false,
    }
}

/// Whether a repository is one of Docker Hub.
fn is_default_registry(repository: &str) -> bool {
    match repository.split_once('/') {
        Some(("", _)) => false,
        Some((host, _)) => host == "docker.io" || host == "index.docker.io" || !host.contains(['.', ':']),
        None => !repository.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::{look_up, matches_glob, urls_match};
    use crate::objects::Secret;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn secret(name: &str, auths: &Value) -> Arc<Secret> {
        let manifest = json!({
            "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": json!({"auths": auths}).to_string()},
        });
        Arc::new(serde_json::from_value(manifest).expect("a secret"))
    }

    fn users(secrets: &[Arc<Secret>], repository: &str) -> Vec<String> {
        let found = look_up(secrets, repository).expect("well formed");
        found.iter().map(|found| found.credential.user.to_string()).collect()
    }

    #[test]
    fn the_most_specific_registry_comes_first() {
        let secrets = [
            secret(
                "a",
                &json!({"registry.example": {"username": "host"}, "other.example": {"username": "other"}}),
            ),
            secret("b", &json!({"https://registry.example/v2/team": {"username": "team"}})),
            secret("c", &json!({"*.example": {"auth": "Z2xvYjpwdw=="}})),
        ];
        assert_eq!(users(&secrets, "registry.example/team/app"), ["team", "host", "glob"]);
        assert_eq!(users(&secrets, "registry.example/app"), ["host", "glob"]);
        assert!(users(&secrets, "registry.example:5000/app").is_empty());
    }

    #[test]
    fn docker_hub_has_a_name_of_its_own() {
        let hub = secret("hub", &json!({"https://index.docker.io/v1/": {"username": "me"}}));
        assert_eq!(users(std::slice::from_ref(&hub), "docker.io/library/busybox"), ["me"]);
        assert!(users(&[hub], "registry.example/busybox").is_empty());
    }

    #[test]
    fn a_broken_secret_spoils_all() {
        let good = secret("good", &json!({"registry.example": {"username": "me"}}));
        let broken = secret("broken", &json!({"registry.example": {"auth": "bm9jb2xvbg=="}}));
        let error = look_up(&[good, broken], "registry.example/app").expect_err("no colon");
        assert_eq!(error, "unable to parse auth field, must be formatted as base64(username:password)");
    }

    #[test]
    fn wild_cards_stay_within_a_part() {
        assert!(matches_glob(b"r*y", b"registry") && matches_glob(b"?", b"a") && !matches_glob(b"a*", b"ba"));
        assert!(urls_match("*.example/team", "registry.example/team/app"));
        assert!(!urls_match("*.example", "a.b.example/app"));
    }
}
