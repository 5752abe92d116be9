//! Hosts that the owner allowed until further notice: shown, added, taken back.

use crate::{
    clock,
    doors::{
        api::no::{Body, No, Of},
        owners::owners,
    },
    gateway::App,
    hosts,
    wire::desk::{HostWish, Hosts},
};
use axum::{Json, extract::State};

owners! {
    get "/hosts" => shown,
    post "/hosts" => allow,
    post "/hosts/{id}/forget" => forget,
}

async fn shown(State(app): State<App>) -> Result<Json<Hosts>, No> {
    Ok(Json(hosts::shown(&app).await?))
}

async fn allow(State(app): State<App>, Body(wish): Body<HostWish>) -> Result<Json<Hosts>, No> {
    hosts::allow(&app, &wish.host, clock::now()).await?;
    Ok(Json(hosts::shown(&app).await?))
}

async fn forget(State(app): State<App>, Of(id): Of<i64>) -> Result<Json<Hosts>, No> {
    hosts::take_back(&app, id).await?;
    Ok(Json(hosts::shown(&app).await?))
}
