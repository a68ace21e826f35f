//! What differs between the releases of CDI that are modelled: a table of switches, a column a release.
//!
//! It is what our notes know of release-v1.43, release-v1.64 and main of August 2026 (`c07cdb6fbd18`); all else is of main.

use crate::release::CdiRelease;

/// The switches of a release. Scenarios of the catalog's folder `releases/` show each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CdiProfile {
    /// A DataVolume fails whenever its worker pod has (1.43); later only by a lost claim and a wrong checksum.
    pub(crate) fails_with_its_pod: bool,
    /// A source has a checksum, and the importer compares it (1.65, containerized-data-importer#4010).
    pub(crate) knows_checksums: bool,
}

const V1_43: CdiProfile = CdiProfile { fails_with_its_pod: true, knows_checksums: false };

const V1_64: CdiProfile = CdiProfile { fails_with_its_pod: false, ..V1_43 };

const MAIN: CdiProfile = CdiProfile { knows_checksums: true, ..V1_64 };

impl CdiRelease {
    /// The switches of this release.
    pub(crate) const fn profile(self) -> &'static CdiProfile {
        match self {
            Self::V1_43 => &V1_43,
            Self::V1_64 => &V1_64,
            Self::Main2026_08 => &MAIN,
        }
    }
}
