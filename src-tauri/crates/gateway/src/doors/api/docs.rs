//! The API's description (OpenAPI 3.1), made from the routes and types themselves, and a page to try it.

use crate::wire::{ClientFrame, ErrorFrame, Frame};
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
    components(schemas(Frame, ClientFrame, ErrorFrame)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::CLIENT_TYPES;
    use serde_json::Value;

    fn references(of: &Value, found: &mut Vec<String>) {
        match of {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(all) => all.iter().for_each(|one| references(one, found)),
            _ => {}
        }
    }

    #[test]
    fn both_sides_frames_are_described_and_every_name_leads_somewhere() {
        let whole = serde_json::to_value(openapi()).unwrap();
        let frames = whole["components"]["schemas"]["FromClient"].to_string();
        for kind in CLIENT_TYPES {
            assert!(frames.contains(&format!("\"{kind}\"")), "{kind}: {frames}");
        }
        for name in ["Frame", "ClientFrame", "ErrorFrame", "LinkShown"] {
            assert!(whole["components"]["schemas"][name].is_object(), "{name}");
        }
        let mut found = Vec::new();
        references(&whole, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for name in found {
            assert!(whole.pointer(&name[1..]).is_some(), "{name}");
        }
    }
}
