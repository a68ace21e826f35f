//! Whether a node can mount a volume, Kubernetes 1.36.2: `pkg/volume/util/operationexecutor/operation_generator.go`
//! (`GenerateMountVolumeFunc`), `pkg/volume/configmap`, `pkg/volume/secret` and `pkg/volume/projected`. What these write into files is
//! not modelled, only whether they find it.

use crate::controllers::scheduler::is_reachable;
use crate::objects::{ConfigMap, Node, PersistentVolume, Pod, PodVolume, Secret};
use crate::store::View;
use serde_json::Value;

/// kube-controller-manager keeps it in every namespace (`pkg/controller/certificates/rootcacertpublisher`); pods mount it with their
/// token.
const ROOT_CA: &str = "kube-root-ca.crt";

/// Why a volume cannot be mounted, in the words of the event; `None`: it can be.
///
/// `view` is the kubelet's own: ConfigMaps and Secrets come from its caches (`pkg/kubelet/util/manager/watch_based_manager.go`).
pub(super) fn mount_error(
    view: View<'_>,
    pod: &Pod,
    volume: &PodVolume,
    persistent: Option<&PersistentVolume>,
) -> Option<String> {
    if let Some(persistent) = persistent {
        let node = view.named::<Node>("", &pod.node_name);
        let is_here = node.is_none_or(|(_, node)| is_reachable(persistent, &node.metadata.labels));
        let (name, error) = (&persistent.metadata.name, "no matching NodeSelectorTerms");
        return (!is_here)
            .then(|| format!("MountVolume.NodeAffinity check failed for volume \"{name}\" : {error}"));
    }
    let error = set_up_error(view, &pod.metadata.namespace, volume)?;
    Some(format!("MountVolume.SetUp failed for volume \"{}\" : {error}", volume.name))
}

fn set_up_error(view: View<'_>, namespace: &str, volume: &PodVolume) -> Option<String> {
    let source = |kind: &str| volume.rest.get(kind).filter(|source| !source.is_null());
    let files = Files { view, namespace };
    if let Some(source) = source("configMap") {
        files.missing_of_config_map(source)
    } else if let Some(source) = source("secret") {
        files.missing_of_secret(source, "secretName")
    } else {
        files.missing_of_projection(source("projected")?)
    }
}

/// Where the files of a volume come from.
#[derive(Clone, Copy)]
struct Files<'a> {
    view: View<'a>,
    namespace: &'a str,
}

impl Files<'_> {
    fn missing_of_config_map(self, source: &Value) -> Option<String> {
        let name = text(source, "name");
        if name == ROOT_CA {
            return None;
        }
        let found = self.view.named::<ConfigMap>(self.namespace, name);
        let has = |key: &str| found.is_some_and(|(_, map)| map.names().any(|name| name == key));
        missing(source, (found.is_none(), has), |key| match key {
            None => format!("configmap \"{name}\" not found"),
            Some(key) => format!("configmap references non-existent config key: {key}"),
        })
    }

    /// In a projection the name stands under another key.
    fn missing_of_secret(self, source: &Value, name: &str) -> Option<String> {
        let name = text(source, name);
        let found = self.view.named::<Secret>(self.namespace, name);
        let has = |key: &str| found.is_some_and(|(_, secret)| secret.data.contains_key(key));
        missing(source, (found.is_none(), has), |key| match key {
            None => format!("secret \"{name}\" not found"),
            Some(key) => format!("references non-existent secret key: {key}"),
        })
    }

    /// All that is missing is told, in brackets if it is more than one thing (`NewAggregate`).
    fn missing_of_projection(self, projected: &Value) -> Option<String> {
        let mut errors: Vec<String> = Vec::new();
        for source in projected["sources"].as_array().into_iter().flatten() {
            let config_map = source.get("configMap").and_then(|source| self.missing_of_config_map(source));
            let secret = source.get("secret").and_then(|source| self.missing_of_secret(source, "name"));
            errors.extend(config_map.or(secret).filter(|error| !errors.contains(error)));
        }
        match &errors[..] {
            [] => None,
            [error] => Some(error.clone()),
            _ => Some(format!("[{}]", errors.join(", "))),
        }
    }
}

/// The first that is missing of an object and of its keys that are wanted, unless the source is optional.
fn missing(
    source: &Value,
    (is_gone, has): (bool, impl Fn(&str) -> bool),
    words: impl Fn(Option<&str>) -> String,
) -> Option<String> {
    if source["optional"] == true {
        return None;
    }
    if is_gone {
        return Some(words(None));
    }
    let wanted = source["items"].as_array().into_iter().flatten();
    wanted.map(|item| text(item, "key")).find(|key| !has(key)).map(|key| words(Some(key)))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
