//! What holds of every stream of webhooks, whatever was killed or lost on the way: one id says one thing, and no end comes
//! before its start.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

#[derive(Debug, Default)]
pub struct Order {
    said: HashMap<String, String>,
    begun: HashSet<String>,
    duplicates: usize,
}

impl Order {
    /// Of these incidents the start never got through, and is told by the end.
    pub fn merged(incidents: HashSet<String>) -> Self {
        Self { begun: incidents, ..Self::default() }
    }

    /// Takes the next message. What is wrong with it, if anything is.
    pub fn take(&mut self, id: &str, json: &Value) -> Result<(), String> {
        let text = json.to_string();
        match self.said.get(id) {
            None => drop(self.said.insert(id.to_owned(), text)),
            Some(known) if *known == text => self.duplicates += 1,
            Some(_) => return Err(format!("{id} says two things")),
        }
        let incident = json["data"]["incident"]["id"].as_str().unwrap_or_default();
        if json["type"] == "monitor.down" {
            self.begun.insert(incident.to_owned());
        } else if !self.begun.contains(incident) {
            return Err(format!("{incident} ended before its start was told"));
        }
        Ok(())
    }

    /// How many messages came more than once.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(kind: &str, incident: &str) -> Value {
        json!({"type": kind, "data": {"incident": {"id": incident}}})
    }

    #[test]
    fn what_is_told_twice_or_in_the_wrong_order_is_noticed() {
        let mut order = Order::merged(HashSet::from(["inc_9".to_owned()]));
        let (down, up) = (message("monitor.down", "inc_1"), message("monitor.recovered", "inc_1"));
        assert_eq!(order.take("msg_2", &up), Err("inc_1 ended before its start was told".to_owned()));
        assert_eq!(order.take("msg_1", &down), Ok(()));
        assert_eq!(order.take("msg_1", &down), Ok(()));
        assert_eq!(order.take("msg_1", &up), Err("msg_1 says two things".to_owned()));
        assert_eq!(order.take("msg_3", &message("monitor.recovered", "inc_9")), Ok(()));
        assert_eq!(order.duplicates(), 1);
    }
}
