//! What is wrong with a field, in the words of apimachinery 0.36, `pkg/util/validation/field/errors.go`.

use super::field::Field;
use std::fmt;

/// The sort of objection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// Nothing stands where something must.
    Required,
    /// The value breaks a rule.
    Invalid,
    /// The value is none of a few.
    NotSupported,
    /// The value stands there already and must not stand twice.
    Duplicate,
    /// The value names nothing.
    NotFound,
    /// The field must not be set here.
    Forbidden,
    /// The value is too long.
    TooLong,
    /// A webhook's objection, which has no word for its sort.
    Webhook,
}

impl ErrorType {
    /// The API's words; none for webhooks.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::Webhook => "",
        }
    }
}

/// An objection to a field. Shown as the API shows it: path, sort, value, detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path that upstream writes.
    pub field: String,
    /// The path in the object. Upstream writes another one for some fields (`metadata.taints[0]` for `spec.taints[0]`).
    pub path: String,
    /// The sort of objection.
    pub kind: ErrorType,
    /// The value as Go prints it, where the message has one.
    pub value: Option<String>,
    /// What must hold; may be empty.
    pub detail: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        let parts = [self.kind.as_str(), self.value.as_deref().unwrap_or_default(), &self.detail];
        parts.into_iter().filter(|part| !part.is_empty()).try_for_each(|part| write!(f, ": {part}"))
    }
}

impl FieldError {
    /// Shows another path than that of the object, as upstream does for this field.
    pub(super) fn shown_as(&mut self, field: impl Into<String>) {
        self.field = field.into();
    }
}

/// The objections so far.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<FieldError>);

impl Errors {
    pub(super) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an objection that was made elsewhere.
    pub(super) fn take(&mut self, error: FieldError) -> &mut FieldError {
        self.0.push(error);
        self.0.last_mut().expect("one was just added")
    }

    /// Adds all objections that were made elsewhere.
    pub(super) fn take_all(&mut self, others: Errors) {
        self.0.extend(others.0);
    }

    pub(super) fn required(&mut self, at: &Field<'_>, detail: &str) -> &mut FieldError {
        self.push(at, ErrorType::Required, None, detail)
    }

    /// The value is a text, or shown as one.
    pub(super) fn invalid(&mut self, at: &Field<'_>, value: &str, detail: &str) -> &mut FieldError {
        self.push(at, ErrorType::Invalid, Some(format!("{value:?}")), detail)
    }

    /// One objection for each message.
    pub(super) fn invalid_each(&mut self, at: &Field<'_>, value: &str, details: Vec<String>) {
        for detail in details {
            self.invalid(at, value, &detail);
        }
    }

    pub(super) fn invalid_number(&mut self, at: &Field<'_>, value: i64, detail: &str) -> &mut FieldError {
        self.push(at, ErrorType::Invalid, Some(value.to_string()), detail)
    }

    pub(super) fn not_supported(&mut self, at: &Field<'_>, value: &str, known: &[&str]) -> &mut FieldError {
        self.not_supported_struct(at, format!("{value:?}"), known)
    }

    /// A value that Go prints as a struct.
    pub(super) fn not_supported_struct(
        &mut self,
        at: &Field<'_>,
        printed: String,
        known: &[&str],
    ) -> &mut FieldError {
        let known: Vec<String> = known.iter().map(|word| format!("{word:?}")).collect();
        let detail = format!("supported values: {}", known.join(", "));
        self.push(at, ErrorType::NotSupported, Some(printed), &detail)
    }

    pub(super) fn duplicate(&mut self, at: &Field<'_>, value: &str) -> &mut FieldError {
        self.push(at, ErrorType::Duplicate, Some(format!("{value:?}")), "")
    }

    /// A duplicate whose value Go prints as a struct.
    pub(super) fn duplicate_struct(
        &mut self,
        at: &Field<'_>,
        printed: String,
        detail: &str,
    ) -> &mut FieldError {
        self.push(at, ErrorType::Duplicate, Some(printed), detail)
    }

    pub(super) fn not_found(&mut self, at: &Field<'_>, value: &str) -> &mut FieldError {
        self.push(at, ErrorType::NotFound, Some(format!("{value:?}")), "")
    }

    pub(super) fn forbidden(&mut self, at: &Field<'_>, detail: &str) -> &mut FieldError {
        self.push(at, ErrorType::Forbidden, None, detail)
    }

    pub(super) fn too_long(&mut self, at: &Field<'_>, most: usize) -> &mut FieldError {
        self.push(at, ErrorType::TooLong, None, &format!("may not be more than {most} bytes"))
    }

    /// A cause of a webhook: the message stands behind the field.
    pub(super) fn cause(&mut self, at: &Field<'_>, message: impl AsRef<str>) -> &mut FieldError {
        self.push(at, ErrorType::Webhook, None, message.as_ref())
    }

    fn push(
        &mut self,
        at: &Field<'_>,
        kind: ErrorType,
        value: Option<String>,
        detail: &str,
    ) -> &mut FieldError {
        let path = at.path();
        self.take(FieldError { field: path.clone(), path, kind, value, detail: detail.to_owned() })
    }
}
