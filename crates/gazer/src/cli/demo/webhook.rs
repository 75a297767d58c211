//! Prints what the demo's webhook is told.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;

use super::tell;

pub(super) async fn receive() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let at = listener.local_addr()?;
    let router = Router::new().route("/", post(print));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(at)
}

async fn print(Json(told): Json<Value>) -> StatusCode {
    tell(&line(&told));
    StatusCode::NO_CONTENT
}

fn line(told: &Value) -> String {
    let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
    let (kind, name) = (text("/type"), text("/data/monitor/name"));
    let (cause, link) = (text("/data/incident/cause/text"), text("/data/incident/link"));
    format!("webhook: {kind} · {name} · {cause} · {link}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let told = json!({
            "type": "monitor.down",
            "data": {
                "monitor": { "name": "Shaky site" },
                "incident": { "cause": { "text": "refused" }, "link": "http://127.0.0.1:8080/incidents/inc_1" },
            },
        });
        assert_eq!(line(&told), "webhook: monitor.down · Shaky site · refused · http://127.0.0.1:8080/incidents/inc_1");
    }
}
