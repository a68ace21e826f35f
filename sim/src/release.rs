//! Which releases the cluster behaves like.

/// A Kubernetes minor release with a profile of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum KubernetesRelease {
    /// 1.23, of the runbook.
    V1_23,
    /// 1.30.
    V1_30,
    /// 1.34.
    V1_34,
    /// 1.36, the default: what the vectors come from.
    #[default]
    V1_36,
}

/// A KubeVirt release with a profile of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum KubeVirtRelease {
    /// 0.59, the last with the historical alert.
    V0_59,
    /// 1.3.
    V1_3,
    /// main of August 2026, the default: what the vectors come from.
    #[default]
    Main2026_08,
}

/// A CDI release with a profile of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CdiRelease {
    /// 1.43, of 2022.
    V1_43,
    /// 1.64, the last without checksums.
    V1_64,
    /// main of August 2026, the default: what the vectors come from.
    #[default]
    Main2026_08,
}

impl KubernetesRelease {
    /// All profiles, oldest first.
    pub const ALL: [Self; 4] = [Self::V1_23, Self::V1_30, Self::V1_34, Self::V1_36];

    /// As scenario files name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_23 => "1.23",
            Self::V1_30 => "1.30",
            Self::V1_34 => "1.34",
            Self::V1_36 => "1.36",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.as_str() == name)
    }
}

impl KubeVirtRelease {
    /// All profiles, oldest first.
    pub const ALL: [Self; 3] = [Self::V0_59, Self::V1_3, Self::Main2026_08];

    /// As scenario files name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_59 => "0.59",
            Self::V1_3 => "1.3",
            Self::Main2026_08 => "main-2026-08",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.as_str() == name)
    }
}

impl CdiRelease {
    /// All profiles, oldest first.
    pub const ALL: [Self; 3] = [Self::V1_43, Self::V1_64, Self::Main2026_08];

    /// As scenario files name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_43 => "1.43",
            Self::V1_64 => "1.64",
            Self::Main2026_08 => "main-2026-08",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.as_str() == name)
    }
}
