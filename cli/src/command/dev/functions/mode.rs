//! How a function's environments come to be: its keys → [`Initialization`], and what excludes each other, as in AWS.

use sandbox::{FunctionConfig, Initialization};

use super::key::{self, Key};
use super::object::Object;
use super::settings::set;

/// Each of them decides alone when init runs.
const MODES: [&Key; 3] = [&key::PROVISIONED_CONCURRENCY, &key::SNAP_START, &key::MANAGED_INSTANCES];

/// Reads when init runs, how many invocations an environment takes, and whose.
pub(super) fn read(object: &mut Object, config: &mut FunctionConfig) {
    let named: Vec<&str> = MODES.iter().filter(|key| object.has(key)).map(|key| key.name).collect();
    let (with_concurrency, with_freeze) = (object.has(&key::CONCURRENCY), object.has(&key::FREEZE));
    set(&mut config.concurrency_max, object.whole(&key::CONCURRENCY));
    set(&mut config.freeze, object.flag(&key::FREEZE));
    set(&mut config.tenant_isolation, object.flag(&key::TENANT_ISOLATION));
    let provisioned = object.whole(&key::PROVISIONED_CONCURRENCY);
    let snap_start = object.flag(&key::SNAP_START).unwrap_or(false);
    let managed = object.object(&key::MANAGED_INSTANCES, managed_instances);

    if named.len() > 1 {
        object.fault(format!("{} exclude each other; take one of them", named.join(" and ")));
    }
    if config.tenant_isolation && (provisioned.is_some() || snap_start || managed.is_some()) {
        object.fault(format!("tenantIsolation is not to be had with {}; leave one out", named.join(" and ")));
    }
    if provisioned.is_some_and(|environments| environments > config.concurrency_max) {
        object.fault(format!(
            "provisionedConcurrency is more than concurrency ({}) allows; raise concurrency",
            config.concurrency_max
        ));
    }
    if managed.is_some() && with_concurrency {
        object.fault("concurrency is not for managed instances; set managedInstances.concurrency");
    }
    if managed.is_some() && with_freeze {
        object.fault("freeze is not for managed instances, which are never stopped; leave it out");
    }
    config.initialization = match (provisioned, managed) {
        (Some(environments), _) => Initialization::ProvisionedConcurrency { environments },
        (None, Some(managed)) => managed,
        (None, None) if snap_start => Initialization::SnapStart,
        (None, None) => Initialization::OnDemand,
    };
}

fn managed_instances(object: &mut Object) -> Initialization {
    let (mut environments, mut concurrency) = (1, 10);
    set(&mut environments, object.whole(&key::ENVIRONMENTS));
    set(&mut concurrency, object.whole(&key::INVOCATIONS));
    Initialization::ManagedInstances { environments, concurrency }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn mode(value: Value) -> Result<Initialization, String> {
        let mut object = Object::new(value, key::FUNCTION);
        let mut config = FunctionConfig::new("f", Vec::new());
        read(&mut object, &mut config);
        let faults = object.finish();
        if faults.is_empty() { Ok(config.initialization) } else { Err(faults.join("; ")) }
    }

    #[test]
    fn each_mode_has_its_key() {
        assert_eq!(mode(json!({"snapStart": false})), Ok(Initialization::OnDemand));
        assert_eq!(mode(json!({"snapStart": true})), Ok(Initialization::SnapStart));
        let provisioned = Initialization::ProvisionedConcurrency { environments: 2 };
        assert_eq!(mode(json!({"provisionedConcurrency": 2})), Ok(provisioned));
        let managed =
            |environments, concurrency| Ok(Initialization::ManagedInstances { environments, concurrency });
        assert_eq!(mode(json!({"managedInstances": {"environments": 2, "concurrency": 4}})), managed(2, 4));
        let said = [&key::ENVIRONMENTS, &key::INVOCATIONS].map(|key| key.default.parse().unwrap());
        assert_eq!(mode(json!({"managedInstances": {}})), managed(said[0], said[1]), "as documented");
    }

    #[test]
    fn what_excludes_each_other_is_told_with_a_way_out() {
        for (value, told) in [
            (json!({"snapStart": true, "provisionedConcurrency": 1}), "take one of them"),
            (json!({"managedInstances": {}, "concurrency": 4}), "managedInstances.concurrency"),
            (json!({"managedInstances": {}, "freeze": true}), "leave it out"),
            (json!({"tenantIsolation": true, "snapStart": true}), "tenantIsolation"),
            (json!({"provisionedConcurrency": 11}), "raise concurrency"),
            (json!({"managedInstances": {"concurrency": 0}}), "managedInstances.concurrency is 0"),
            (json!({"managedInstances": 4}), "managedInstances is 4"),
        ] {
            let error = mode(value.clone()).unwrap_err();
            assert!(error.contains(told), "{value}: {error}");
        }
    }
}
