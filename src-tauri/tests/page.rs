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

/// A conversation of Claude Code's own.
fn conversation(n: usize) -> String {
    let id = format!("11111111-2222-4333-8444-{n:012}");
    let line = |kind: &str, at: usize, words: &str| {
        json!({ "type": kind, "sessionId": id, "uuid": format!("{id}-{at}"), "cwd": "/work/shop", "version": "2.1.197",
                "timestamp": "2026-11-20T09:00:00.000Z", "message": { "role": kind, "content": words } })
    };
    (0..400).map(|at| format!("{}\n", line("user", at, &format!("Words {at} of {n}")))).collect()
}

#[tokio::test]
async fn an_import_tells_how_far_it_is_while_it_runs_and_stops_with_whole_conversations() {
    const CONVERSATIONS: usize = 120;
    let desktop = Desktop::new().await;
    let _panel = desktop.panel().await;
    let history = desktop.home.path().join(".claude/projects/-work-shop");
    std::fs::create_dir_all(&history).unwrap();
    for n in 0..CONVERSATIONS {
        std::fs::write(history.join(format!("11111111-2222-4333-8444-{n:012}.jsonl")), conversation(n)).unwrap();
    }
    let driven = driven(&desktop, &[]).await;
    let page = &driven.page;
    answers(page).await;
    // As the window's page asks for lines; it stops the import at its first line. Tauri's own last message has only an `end`.
    let bring = "const t = window.__TAURI_INTERNALS__; window.lines_ = []; const over = new Promise((done) => { \
        window.channel_ = t.transformCallback(({ message, end }) => { if (end) return; window.lines_.push(message); \
            if (window.lines_.length === 1) window.stopped_ = fetch('/import/stop', { method: 'POST' }); \
            if (message === null) done(); }); }); \
        await t.invoke('desk_each_line', { method: 'POST', path: '/import', body: JSON.stringify({ paths: [] }), \
            channel: '__CHANNEL__:' + window.channel_ }); \
        await over; return [window.lines_.filter((l) => l !== null).map((l) => JSON.parse(l)), (await window.stopped_).status]";
    let told = run(page, bring).await;
    let lines = told[0].as_array().unwrap_or_else(|| panic!("{told}"));
    let (done, progress) = lines.split_last().unwrap();
    assert_eq!((&told[1], &done["type"], &done["stopped"]), (&json!(204), &json!("done"), &json!(true)), "{done}");
    let taken = done["sessions"].as_u64().unwrap();
    assert!(taken >= 1 && taken < CONVERSATIONS as u64, "the first line came before the last file: {done}");
    assert_eq!((progress.len() as u64, &progress[0]["done"]), (taken, &json!(0)));
    assert_eq!(done["events"].as_u64().unwrap() % taken, 0, "each is there whole: {done}");
    let known = "return (await (await fetch('/import')).json()).filter((f) => f.known).length";
    assert_eq!(run(page, known).await, taken);
    let refused = "return await window.__TAURI_INTERNALS__.invoke('desk_each_line', { method: 'POST', path: '/nothing', body: null, \
        channel: '__CHANNEL__:' + window.channel_ }).catch((e) => e.data.code)";
    assert_eq!(run(page, refused).await, "NOT_FOUND");
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
