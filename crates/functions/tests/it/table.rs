//! What is said of functions before there are any, and of topics without asking who consumes them, is so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gazer_bus::Topic;
use gazer_channels::Operator;
use gazer_domain::Region;
use gazer_functions::{Lookout, NAMES, Says};

use crate::trial::{self, Still};
use crate::whole;

#[tokio::test]
async fn names_roles_and_consumers_are_those_of_the_registry() {
    let lookout = Lookout::new(Region::local(), Lookout::EVERY, Operator::default());
    let parts = trial::parts(trial::store().await, Arc::new(Still::new()), lookout);
    let registry = whole::registry_that_says(&parts, Some(Says { every: Duration::from_secs(60), is_heard: true }));
    let role = |function: &Arc<dyn gazer_bus::Function>| (function.name(), function.role().as_str());
    let registered: BTreeMap<_, _> = registry.functions().iter().map(role).collect();
    assert_eq!(registered, NAMES.map(|(name, role)| (name, role.as_str())).into());
    for topic in Topic::ALL {
        let consumer = registry.consumer(topic).map(|function| function.name());
        assert_eq!(consumer, Some(topic.consumer()), "{topic:?}");
    }
}
