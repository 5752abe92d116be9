//! The API's description (OpenAPI 3.1), made from the routes and types themselves, and a page to try it.

use crate::wire::{ErrorFrame, Frame};
use axum::{
    Json, Router,
    http::{HeaderValue, header},
};
use std::sync::LazyLock;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_swagger_ui::{Config, SwaggerUi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Lanyard companion API", description = "For phones, other clients and scripts. Pair with a code from the desk, or let the owner make a token. Errors have one form everywhere: a code, a sentence, a suggestion."),
    components(schemas(Frame, ErrorFrame)),
    modifiers(&Bearer),
    security(("bearer" = [])),
)]
struct Head;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        if let Some(components) = openapi.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        }
    }
}

/// The description without its routes.
pub fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// The whole description.
pub fn openapi() -> &'static utoipa::openapi::OpenApi {
    static WHOLE: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| super::described().into_openapi());
    &WHOLE
}

pub async fn json() -> Json<&'static utoipa::openapi::OpenApi> {
    Json(openapi())
}

/// Swagger UI, whose files are in the program: nothing comes from elsewhere. Only on the local door.
pub fn page<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let config = Config::from("/api/openapi.json")
        .use_base_layout()
        .try_it_out_enabled(true)
        .default_models_expand_depth(0)
        .filter(true);
    let policy = HeaderValue::from_static(POLICY);
    Router::from(SwaggerUi::new("/api/docs").config(config))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, policy))
}

/// Its icons are in its style sheet, its styles in part in its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
