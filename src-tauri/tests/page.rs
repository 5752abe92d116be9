//! The page in the app's window: what it may reach, and how.
#![cfg(target_os = "linux")]

mod desktop;

use desktop::{Desktop, until, window::driven};
use serde_json::{Value, json};
use thirtyfour::WebDriver;

/// Runs the body of an async function in the page; gives what it returns.
async fn run(page: &WebDriver, body: &str) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; (async () => {{ {body} }})().then(done, (e) => done('threw ' + (e.stack || JSON.stringify(e))));"
    );
    page.execute_async(script, vec![]).await.unwrap().json().clone()
}

/// Waits until the page reaches its gateway.
async fn answers(page: &WebDriver) {
    until("the gateway answers", async || {
        (run(page, "return (await fetch('/status')).status").await == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_page_reaches_the_local_door_in_process_with_bodies_and_without_a_port() {
    let desktop = Desktop::new().await;
    let _panel = desktop.panel().await;
    let driven = driven(&desktop, &[]).await;
    let page = &driven.page;
    answers(page).await;
    assert_eq!(run(page, "return [location.origin, isSecureContext]").await, json!(["desk://localhost", true]));
    let posted = "const r = await fetch('/tunnel', { method: 'POST', headers: { 'content-type': 'application/json' }, \
                  body: JSON.stringify({ on: false }) }); return [r.status, (await r.json()).status.state]";
    assert_eq!(run(page, posted).await, json!([200, "off"]));
    let refused = "const r = await fetch('/nothing', { method: 'PATCH', body: 'x' }); \
                   return [r.status, (await r.json()).data.code]";
    assert_eq!(run(page, refused).await, json!([404, "NOT_FOUND"]));
    let picture = "const i = new Image(); i.src = '/icons/192.png'; await i.decode(); return i.naturalWidth";
    assert_eq!(run(page, picture).await, 192);
    page.clone().quit().await.unwrap();
}

#[tokio::test]
async fn the_live_line_and_native_things_come_by_commands() {
    let desktop = Desktop::new().await;
    let _panel = desktop.panel().await;
    desktop.interrupted_turn("mow the lawn").await;
    let driven = driven(&desktop, &[]).await;
    let page = &driven.page;
    answers(page).await;
    let subscribe = "const t = window.__TAURI_INTERNALS__; window.frames_ = []; \
        const id = t.transformCallback((m) => window.frames_.push(m.message)); \
        window.line_ = await t.invoke('desk_subscribe', { after: 0, channel: '__CHANNEL__:' + id }); return window.line_";
    assert!(run(page, subscribe).await.is_u64());
    let types = "return window.frames_.map((f) => f && JSON.parse(f).type)";
    until("welcome and caught up", async || {
        let types = run(page, types).await;
        (types[0] == "welcome" && types.as_array()?.contains(&json!("caughtUp"))).then_some(())
    })
    .await;
    let ping = "const t = window.__TAURI_INTERNALS__; \
        return await t.invoke('desk_tell', { id: window.line_, frame: JSON.stringify({ type: 'ping', requestId: '7' }) })";
    assert_eq!(run(page, ping).await, true);
    until("the answer", async || run(page, types).await.as_array()?.contains(&json!("pong")).then_some(())).await;
    let status = run(page, "return await window.__TAURI_INTERNALS__.invoke('native_status')").await;
    assert_eq!((&status["platform"], &status["autostart"]), (&json!("linux"), &json!(false)), "{status}");
    let open = "return await window.__TAURI_INTERNALS__.invoke('native_open', { url: 'file:///etc/passwd' }).catch((e) => e.code)";
    assert_eq!(run(page, open).await, "BAD_REQUEST");
    let over = "await window.__TAURI_INTERNALS__.invoke('desk_unsubscribe', { id: window.line_ }); \
        return await window.__TAURI_INTERNALS__.invoke('desk_tell', { id: window.line_, frame: '{}' })";
    assert_eq!(run(page, over).await, false);
    page.clone().quit().await.unwrap();
}

#[tokio::test]
async fn nothing_from_elsewhere_is_loaded_into_the_window() {
    let desktop = Desktop::new().await;
    let _panel = desktop.panel().await;
    let driven = driven(&desktop, &[]).await;
    let page = &driven.page;
    answers(page).await;
    let policy = "return (await fetch('/')).headers.get('content-security-policy')";
    let policy = run(page, policy).await;
    assert!(
        policy.as_str().is_some_and(|p| p.contains("default-src 'none'") && p.contains("script-src 'self';")),
        "{policy}"
    );
    run(page, "location.href = 'http://127.0.0.1:9/'; await new Promise((r) => setTimeout(r, 300)); return 1").await;
    assert_eq!(run(page, "return location.origin").await, "desk://localhost");
    page.clone().quit().await.unwrap();
}

#[tokio::test]
async fn a_link_from_elsewhere_leads_to_its_screen() {
    let desktop = Desktop::new().await;
    let _panel = desktop.panel().await;
    let driven = driven(&desktop, &[]).await;
    let page = &driven.page;
    until("the page is there", async || {
        (run(page, "return !!document.querySelector('main')").await == true).then_some(())
    })
    .await;
    assert!(desktop.start(&["lanyard://phones"]).ends().await.success());
    until("the screen", async || (run(page, "return location.hash").await == "#/phones").then_some(())).await;
    page.clone().quit().await.unwrap();
}

#[tokio::test]
async fn a_file_that_the_page_offers_is_saved_under_its_name_and_takes_no_others_place() {
    let desktop = Desktop::new().await;
    let _panel = desktop.panel().await;
    let driven = driven(&desktop, &[]).await;
    let page = &driven.page;
    answers(page).await;
    let save = "const a = document.createElement('a'); a.href = '/api/openapi.json'; a.download = ''; \
                document.body.append(a); a.click(); return 1";
    for name in ["openapi.json", "openapi (1).json"] {
        run(page, save).await;
        let saved = desktop.home.path().join(name);
        until(name, async || {
            let written = std::fs::read(&saved).ok()?;
            serde_json::from_slice::<Value>(&written).ok().filter(|v| v["openapi"] == "3.1.0").map(|_| ())
        })
        .await;
    }
    page.clone().quit().await.unwrap();
}
