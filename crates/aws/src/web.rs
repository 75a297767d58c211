//! The pages and the API behind an HTTP API, by the same router as everywhere.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use gazer_web::{Config, Web};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt, service_fn};
use tower::ServiceExt;

use crate::carry::Carrying;

/// Nothing here can hold a connection open: a page that wants to live asks again and again.
pub(crate) async fn serve(web: Web, carrying: &Carrying) -> anyhow::Result<()> {
    let config = Arc::new(Config { streams: false, ..(*web.config).clone() });
    let router: Router = gazer_web::router(Web { config, ..web });
    let answer = service_fn(|mut request: Request| {
        let router = router.clone();
        if let Some(peer) = peer(&request) {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 0)));
        }
        async move {
            let answer = router.oneshot(request).await;
            carrying.end().await;
            answer
        }
    });
    lambda_http::run(answer).await.map_err(|err| anyhow::anyhow!("the runtime API is gone: {err}"))
}

/// As API Gateway saw it, which no client can write.
fn peer(request: &Request) -> Option<IpAddr> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    context.http.source_ip.as_ref()?.parse().ok()
}
