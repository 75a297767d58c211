//! The one table of functions. Local workers, tests and every later deployment dispatch through it.

use std::sync::Arc;

use crate::function::{Failure, Function, Report, Woken};
use crate::message::Topic;
use crate::{Wake, function};

#[derive(Debug, Clone)]
pub struct Registry {
    functions: Vec<Arc<dyn Function>>,
}

impl Registry {
    pub fn new(functions: Vec<Arc<dyn Function>>) -> Self {
        Self { functions }
    }

    pub fn functions(&self) -> &[Arc<dyn Function>] {
        &self.functions
    }

    /// The one function that consumes a topic.
    pub fn consumer(&self, topic: Topic) -> Option<&Arc<dyn Function>> {
        self.functions.iter().find(|function| function.wakes().contains(&Wake::Topic(topic)))
    }

    /// Runs a function by name, as a clock, a queue or a Lambda would. A failure is logged here, once, with its causes.
    pub async fn dispatch(&self, function: &Arc<dyn Function>, woken: Woken) -> Result<Report, Failure> {
        let outcome = function::Function::run(function.as_ref(), woken).await;
        if let Err(failure) = &outcome {
            tracing::error!(function = function.name(), "{}", chain(failure));
        }
        outcome
    }
}

fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
