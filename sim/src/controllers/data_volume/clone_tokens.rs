//! The tokens of a clone across namespaces: the DataVolume's long-lived one, and those of its claim.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/clone-controller-base.go` (`ensureExtendedToken…`),
//! `pvc-clone-controller.go` (`addCloneToken`).

use super::clone_source::CloneSource;
use super::sync::SyncState;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::tokens::Token;
use crate::objects::{DataVolume, ObjectMeta, PersistentVolumeClaim};
use arcstr::{ArcStr, literal};

/// `ensureExtendedTokenDV`: a token for this DataVolume that does not expire. Returns whether it is new.
pub(super) fn extend(dv: &mut ObjectMeta) -> Result<bool, CdiError> {
    if dv.annotations.contains_key(&ann::EXTENDED_CLONE_TOKEN) {
        return Ok(false);
    }
    let short = Token::parse(token(dv, &ann::CLONE_TOKEN)?)?;
    let long = short.of_uid(&dv.uid).text();
    dv.annotations.insert(ann::EXTENDED_CLONE_TOKEN, long);
    Ok(true)
}

/// `ensureExtendedTokenPVC`: the same for its claim.
pub(super) fn pass_on(state: &mut SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let dv = &state.dv.metadata;
    let (token, uid) = (Token::parse(token(dv, &ann::EXTENDED_CLONE_TOKEN)?)?, dv.uid.clone());
    let claim = state.claim_now().filter(|claim| claim.annotation(&ann::EXTENDED_CLONE_TOKEN).is_none());
    let Some(claim) = claim else { return Ok(()) };
    if *token.uid() != uid {
        return Err(CdiError::Resource(literal!("token uid mismatch")));
    }
    let meta = &mut claim.object.metadata;
    meta.annotations.insert(ann::EXTENDED_CLONE_TOKEN, token.of_uid(&meta.uid).text());
    claim.update(cx)
}

fn token<'a>(dv: &'a ObjectMeta, annotation: &str) -> Result<&'a ArcStr, CdiError> {
    dv.annotations.get(annotation).ok_or(CdiError::Resource(literal!("token missing")))
}

/// `addCloneToken`: a new claim has the short token, and only if it is a copy from elsewhere.
pub(super) fn add(dv: &DataVolume, claim: &mut PersistentVolumeClaim) {
    let annotations = &mut claim.metadata.annotations;
    annotations.remove(&ann::CLONE_TOKEN);
    annotations.remove(&ann::EXTENDED_CLONE_TOKEN);
    let is_from_elsewhere =
        CloneSource::of(dv).is_some_and(|source| source.namespace != dv.metadata.namespace);
    if let Some(token) = dv.metadata.annotations.get(&ann::CLONE_TOKEN).filter(|_| is_from_elsewhere) {
        annotations.insert(ann::CLONE_TOKEN, token.clone());
    }
}
