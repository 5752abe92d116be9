//! The API's description (OpenAPI 3.1), made from the routes and types themselves, and a page to try it.

use crate::wire::{ErrorFrame, Frame};
use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::sync::LazyLock;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

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

/// One file, nothing from elsewhere. Only on the local door.
pub async fn page() -> Response {
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
    ];
    (headers, include_str!("docs.html")).into_response()
}
