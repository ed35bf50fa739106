//! How environments of a function come to be: when their init runs, and how many invocations each takes at once.
//!
//! Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"; for Managed
//! Instances, what AWS's own emulator does.

use std::time::Duration;

/// Managed Instances, and an init that nobody waits for, may take so long.
const AHEAD_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What AWS calls the initialization type, with its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Initialization {
    /// Init runs when an invocation finds no idle environment.
    #[default]
    OnDemand,
    /// So many environments have had their init before the first invocation, and stay. Further ones are on demand.
    ProvisionedConcurrency {
        /// Environments that are ready from the start.
        environments: usize,
    },
    /// Init runs ahead and ends frozen, as a snapshot; the first invocation restores it.
    SnapStart,
    /// Lambda Managed Instances: a fixed number of environments that are ready from the start, are never frozen, and
    /// take several invocations at once.
    ManagedInstances {
        /// Environments.
        environments: usize,
        /// `AWS_LAMBDA_MAX_CONCURRENCY`: invocations at once in each of them.
        concurrency: usize,
    },
}

impl Initialization {
    /// `AWS_LAMBDA_INITIALIZATION_TYPE`, and `initializationType` of records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::ProvisionedConcurrency { .. } => "provisioned-concurrency",
            Self::SnapStart => "snap-start",
            Self::ManagedInstances { .. } => "lambda-managed-instances",
        }
    }

    /// What is wrong with the figures.
    pub(crate) fn fault(self) -> Option<&'static str> {
        match self {
            Self::ManagedInstances { environments: 0, .. } => Some("it has no managed instance"),
            Self::ManagedInstances { concurrency: 0, .. } => Some("its managed instances take no invocation"),
            _ => None,
        }
    }

    pub(crate) const fn is_managed(self) -> bool {
        matches!(self, Self::ManagedInstances { .. })
    }

    /// Environments that have their init before any invocation.
    pub(crate) const fn ahead(self) -> usize {
        match self {
            Self::OnDemand => 0,
            Self::SnapStart => 1,
            Self::ProvisionedConcurrency { environments } | Self::ManagedInstances { environments, .. } => {
                environments
            }
        }
    }

    /// What an environment is that an invocation has to wait for.
    pub(crate) const fn when_waited_for(self) -> Self {
        match self {
            Self::ProvisionedConcurrency { .. } => Self::OnDemand,
            other => other,
        }
    }

    /// Invocations at once in one environment.
    pub(crate) const fn slots(self) -> usize {
        match self {
            Self::ManagedInstances { concurrency, .. } => concurrency,
            _ => 1,
        }
    }

    /// Invocations at once in all environments, if these may be so many.
    pub(crate) const fn capacity(self, environments_max: usize) -> usize {
        match self {
            Self::ManagedInstances { environments, concurrency } => environments.saturating_mul(concurrency),
            _ => environments_max,
        }
    }

    /// How long init may take, where on demand it is so long.
    pub(crate) const fn init_limit(self, on_demand: Duration) -> Duration {
        match self {
            Self::OnDemand => on_demand,
            _ => AHEAD_LIMIT,
        }
    }

    /// Whether an environment ends when it has had no work for a while.
    pub(crate) const fn ends_idle(self) -> bool {
        matches!(self, Self::OnDemand | Self::SnapStart)
    }

    /// Whether keys come from an endpoint that renews them: the environment outlives any that it could be given.
    pub(crate) const fn renews_credentials(self) -> bool {
        matches!(self, Self::SnapStart | Self::ManagedInstances { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_what_is_provisioned_environments_are_on_demand() {
        let provisioned = Initialization::ProvisionedConcurrency { environments: 2 };
        assert_eq!((provisioned.ahead(), provisioned.capacity(5)), (2, 5));
        assert_eq!(provisioned.when_waited_for(), Initialization::OnDemand);
        assert_eq!(Initialization::SnapStart.when_waited_for(), Initialization::SnapStart);
    }

    #[test]
    fn managed_instances_are_as_many_as_they_are() {
        let managed = Initialization::ManagedInstances { environments: 2, concurrency: 8 };
        assert_eq!((managed.capacity(10), managed.slots(), managed.ahead()), (16, 8, 2));
        assert!(managed.fault().is_none() && !managed.ends_idle());
        assert!(Initialization::ManagedInstances { environments: 1, concurrency: 0 }.fault().is_some());
    }
}
