//! Image references, Kubernetes 1.36.2: `pkg/util/parsers/parsers.go`, which parses with `distribution/reference` 0.6.

use arcstr::ArcStr;

/// The image with `:latest` if it has neither tag nor digest; else why it is no image name.
pub(super) fn default_tag(image: &ArcStr) -> Result<ArcStr, String> {
    let parsed = parse(image)?;
    if parsed.has_tag || parsed.has_digest {
        Ok(image.clone())
    } else {
        Ok(arcstr::format!("{image}:latest"))
    }
}

/// What of a reference decides on its default tag.
struct Parsed {
    has_tag: bool,
    has_digest: bool,
}

const FORMAT: &str = "invalid reference format";

fn parse(image: &str) -> Result<Parsed, String> {
    if image.len() == 64 && image.bytes().all(is_lower_hex) {
        return Err(format!("invalid repository name ({image}), cannot specify 64-byte hexadecimal strings"));
    }
    let (domain, remainder) = split_domain(image);
    let path_only = remainder.split(':').next().unwrap_or_default();
    if path_only.to_lowercase() != path_only {
        return Err(format!("{FORMAT}: repository name ({path_only}) must be lowercase"));
    }
    let (rest, digest) = match remainder.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (remainder.as_str(), None),
    };
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    let well_formed = is_domain(domain)
        && path.split('/').all(is_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(looks_like_digest);
    if !well_formed {
        return Err(FORMAT.to_owned());
    }
    digest.map_or(Ok(()), check_digest)?;
    Ok(Parsed { has_tag: tag.is_some(), has_digest: digest.is_some() })
}

/// The registry's host and the rest; without a host `docker.io` and, for a bare name, `library/`.
fn split_domain(image: &str) -> (&str, String) {
    let host = image.split_once('/').filter(|(host, _)| {
        host.contains(['.', ':']) || *host == "localhost" || host.to_lowercase() != *host
    });
    match host {
        Some((host, rest)) => (host, rest.to_owned()),
        None if image.contains('/') => ("docker.io", image.to_owned()),
        None => ("docker.io", format!("library/{image}")),
    }
}

fn is_domain(host: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        let digits = address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
        return digits
            && !address.is_empty()
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let is_label = |label: &str| {
        let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && alphanumeric(label.bytes().next())
            && alphanumeric(label.bytes().last())
    };
    name.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = component.split(|c: char| u8::try_from(c).is_ok_and(is_word));
    let ends = |byte: Option<u8>| byte.is_some_and(is_word);
    ends(component.bytes().next())
        && ends(component.bytes().last())
        && separators.into_iter().all(|separator| {
            matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

/// `algorithm:hex` with at least 32 hex digits; the algorithm may be composed.
fn looks_like_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let is_part = |part: &str| {
        part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(is_part)
        && hex.len() >= 32
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn check_digest(digest: &str) -> Result<(), String> {
    let (algorithm, hex) = digest.split_once(':').expect("it looks like a digest");
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err("unsupported digest algorithm".to_owned()),
    };
    if hex.len() != length {
        Err("invalid checksum digest length".to_owned())
    } else if !hex.bytes().all(is_lower_hex) {
        Err("invalid checksum digest format".to_owned())
    } else {
        Ok(())
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}
