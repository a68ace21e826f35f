//! Clone tokens: what proves that somebody may copy a source into another namespace.
//!
//! CDI main 2026-08: `pkg/apiserver/webhooks/datavolume-mutate.go`, `pkg/controller/common/util.go` (`MultiTokenValidator`,
//! `validateTokenData`), `pkg/token`. The real ones are signed; these are their payload in plain JSON. The short one of the webhook
//! never expires here.

use super::annotations as ann;
use super::errors::CdiError;
use crate::objects::{ObjectMeta, StrMap};
use arcstr::{ArcStr, literal};
use serde::{Deserialize, Serialize};

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    operation: ArcStr,
    name: ArcStr,
    namespace: ArcStr,
    resource: ArcStr,
    target_namespace: ArcStr,
    target_name: ArcStr,
    /// Whose the token is; that of the webhook is anyone's of that name.
    #[serde(default, skip_serializing_if = "ArcStr::is_empty")]
    uid: ArcStr,
}

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    /// `persistentvolumeclaims` or `volumesnapshots`.
    pub(crate) resource: &'static str,
    pub(crate) namespace: &'a ArcStr,
    pub(crate) name: &'a ArcStr,
}

impl Token {
    /// The token of the webhook.
    pub(crate) fn new(subject: &Subject<'_>, target: &ObjectMeta) -> Self {
        Self {
            operation: literal!("Clone"),
            name: subject.name.clone(),
            namespace: subject.namespace.clone(),
            resource: subject.resource.into(),
            target_namespace: target.namespace.clone(),
            target_name: target.name.clone(),
            uid: ArcStr::new(),
        }
    }

    /// The same for one object.
    pub(crate) fn of_uid(self, uid: &ArcStr) -> Self {
        Self { uid: uid.clone(), ..self }
    }

    pub(crate) fn uid(&self) -> &ArcStr {
        &self.uid
    }

    /// As an annotation has it.
    pub(crate) fn text(&self) -> ArcStr {
        serde_json::to_string(self).expect("a token is text").into()
    }

    /// `Validate`: what the annotation says.
    pub(crate) fn parse(text: &str) -> Result<Self, CdiError> {
        serde_json::from_str(text)
            .map_err(|error| CdiError::Resource(arcstr::format!("error verifying token: {error}")))
    }

    /// `validateTokenData`.
    fn is_for(&self, subject: &Subject<'_>, target: &ObjectMeta) -> bool {
        let Self { operation, name, namespace, resource, target_namespace, target_name, uid } = self;
        operation == "Clone"
            && name == subject.name
            && namespace == subject.namespace
            && resource == subject.resource
            && *target_namespace == target.namespace
            && *target_name == target.name
            && (uid.is_empty() || *uid == target.uid)
    }
}

/// `ValidatePVC`, `ValidatePopulator`: whether a claim may be filled with something of another namespace.
pub(crate) fn validate(target: &ObjectMeta, subject: &Subject<'_>) -> Result<(), CdiError> {
    if target.namespace == *subject.namespace {
        return Ok(());
    }
    let Some(text) = of(&target.annotations) else {
        return Err(CdiError::Resource(literal!("clone token missing")));
    };
    if Token::parse(text)?.is_for(subject, target) {
        Ok(())
    } else {
        Err(CdiError::Resource(literal!("invalid token")))
    }
}

/// The long-lived token, else the short one.
fn of(annotations: &StrMap) -> Option<&ArcStr> {
    annotations.get(&ann::EXTENDED_CLONE_TOKEN).or_else(|| annotations.get(&ann::CLONE_TOKEN))
}

#[cfg(test)]
mod tests {
    use super::{Subject, Token, validate};
    use crate::controllers::cdi::annotations as ann;
    use crate::objects::ObjectMeta;
    use arcstr::ArcStr;

    /// What comes of a token for `from` that is shown for another target, where the claim is `into/disk`.
    fn shown(token: Option<&Token>, from: &str) -> String {
        let mut target = ObjectMeta::default();
        (target.namespace, target.name, target.uid) = ("into".into(), "disk".into(), "u1".into());
        if let Some(token) = token {
            target.annotations.insert(ann::EXTENDED_CLONE_TOKEN, token.text());
        }
        let (namespace, name) = (ArcStr::from(from), ArcStr::from("golden"));
        let subject = Subject { resource: "persistentvolumeclaims", namespace: &namespace, name: &name };
        validate(&target, &subject).map_or_else(|error| error.to_string(), |()| "well".to_owned())
    }

    fn token(namespace: &str, target: &str) -> Token {
        let (namespace, name) = (ArcStr::from(namespace), ArcStr::from("golden"));
        let mut meta = ObjectMeta::default();
        (meta.namespace, meta.name) = ("into".into(), target.into());
        Token::new(&Subject { resource: "persistentvolumeclaims", namespace: &namespace, name: &name }, &meta)
    }

    #[test]
    fn only_a_token_for_this_very_copy_counts() {
        assert_eq!(shown(None, "into"), "well", "its own namespace");
        assert_eq!(shown(None, "images"), "clone token missing");
        assert_eq!(shown(Some(&token("images", "disk")), "images"), "well");
        assert_eq!(shown(Some(&token("images", "disk").of_uid(&"u1".into())), "images"), "well");
        assert_eq!(shown(Some(&token("images", "disk").of_uid(&"u2".into())), "images"), "invalid token");
        assert_eq!(shown(Some(&token("others", "disk")), "images"), "invalid token");
        assert_eq!(shown(Some(&token("images", "another")), "images"), "invalid token");
    }
}
