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

/// The repository of an image, with its registry: the full name without tag and digest.
pub(super) fn repository(image: &str) -> Result<ArcStr, String> {
    parse(image).map(|parsed| parsed.repository.into())
}

struct Parsed {
    /// Registry and path.
    repository: String,
    has_tag: bool,
    has_digest: bool,
}

const FORMAT: &str = "invalid reference format";

/// The longest path of a repository.
const MAX_PATH: usize = 255;

fn parse(image: &str) -> Result<Parsed, String> {
    if image.len() == 64 && image.bytes().all(is_lower_hex) {
        return Err(format!("invalid repository name ({image}), cannot specify 64-byte hexadecimal strings"));
    }
    let (domain, remainder) = split_domain(image);
    let path_only = remainder.split(':').next().unwrap_or_default();
    if path_only.to_lowercase() != path_only {
        return Err(format!("{FORMAT}: repository name ({path_only}) must be lowercase"));
    }
    let full = format!("{domain}/{remainder}");
    let Some(parts) = split_reference(&full) else {
        let lower = split_reference(&full.to_lowercase()).is_some();
        return Err(if lower { "repository name must be lowercase" } else { FORMAT }.to_owned());
    };
    if parts.path.len() > MAX_PATH {
        return Err(format!("repository name must not be more than {MAX_PATH} characters"));
    }
    parts.digest.map_or(Ok(()), check_digest)?;
    Ok(Parsed {
        repository: parts.name.to_owned(),
        has_tag: parts.tag.is_some(),
        has_digest: parts.digest.is_some(),
    })
}

/// The registry's host and the rest (`splitDockerDomain`): without a host `docker.io`, whose bare names are in
/// `library/`.
fn split_domain(image: &str) -> (&str, String) {
    let (domain, rest) = match image.split_once('/') {
        Some(("index.docker.io", rest)) => ("docker.io", rest),
        Some((host, rest))
            if host.contains(['.', ':']) || host == "localhost" || host.to_lowercase() != host =>
        {
            (host, rest)
        }
        _ => ("docker.io", image),
    };
    let bare = domain == "docker.io" && !rest.contains('/');
    (domain, if bare { format!("library/{rest}") } else { rest.to_owned() })
}

/// A reference that is well formed, in parts.
struct Reference<'a> {
    /// Host and path.
    name: &'a str,
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

/// What `ReferenceRegexp` makes of a reference. What could not be a host may still begin a path.
fn split_reference(reference: &str) -> Option<Reference<'_>> {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last..].find(':') {
        Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
        None => (rest, None),
    };
    let is_path = |path: &str| path.split('/').all(is_component);
    let path = match name.split_once('/') {
        Some((domain, path)) if is_domain(domain) && is_path(path) => path,
        _ if is_path(name) => name,
        _ => return None,
    };
    let well_formed = tag.is_none_or(is_tag) && digest.is_none_or(looks_like_digest);
    well_formed.then_some(Reference { name, path, tag, digest })
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
        _ if algorithm.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            return Err("invalid checksum digest format".to_owned());
        }
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

#[cfg(test)]
mod tests {
    use super::{parse, repository};

    #[test]
    fn docker_hub_has_several_names() {
        for image in
            ["busybox", "docker.io/busybox:1", "index.docker.io/library/busybox", "library/busybox:v1"]
        {
            assert_eq!(repository(image).as_deref(), Ok("docker.io/library/busybox"), "{image}");
        }
        assert_eq!(
            repository("registry.example:5000/team/app:v1").as_deref(),
            Ok("registry.example:5000/team/app")
        );
    }

    #[test]
    fn errors_are_those_of_the_parser() {
        let long = format!("registry.example/{}", "a".repeat(256));
        let cases = [
            ("docker.io/App", "invalid reference format: repository name (library/App) must be lowercase"),
            ("Foo_bar/app", "repository name must be lowercase"),
            ("a:b/c", "invalid reference format"),
            (long.as_str(), "repository name must not be more than 255 characters"),
            ("app:v1@SHA256:0123456789abcdef0123456789abcdef", "invalid checksum digest format"),
        ];
        for (image, error) in cases {
            assert_eq!(parse(image).err().as_deref(), Some(error), "{image}");
        }
        assert_eq!(repository("foo_bar.io/app:v1").as_deref(), Ok("foo_bar.io/app"));
    }
}
