//! Pictures out of a real sandbox, as text messages: what the agent sends, and what the owner asks to see.

mod world;

use standins::anthropic::{Script, Step};
use world::{LATER, SOON, Wish, World};

/// Writes a picture of noise (1.5 MB as PNG) that the agent can send.
const DRAW: &str = "node -e \"const z=require('zlib'),c=require('crypto');const W=700,H=700;const raw=Buffer.concat([...Array(H)].map(()=>Buffer.concat([Buffer.from([0]),c.randomBytes(W*3)])));\
const crc=b=>{let r=~0;for(const x of b){r^=x;for(let k=0;k<8;k++)r=r&1?(r>>>1)^0xEDB88320:r>>>1}return ~r>>>0};\
const part=(n,d)=>{const b=Buffer.concat([Buffer.from(n),d]);const l=Buffer.alloc(4);l.writeUInt32BE(d.length);const s=Buffer.alloc(4);s.writeUInt32BE(crc(b));return Buffer.concat([l,b,s])};\
const h=Buffer.alloc(13);h.writeUInt32BE(W,0);h.writeUInt32BE(H,4);h[8]=8;h[9]=2;\
require('fs').writeFileSync('/workspace/noise.png',Buffer.concat([Buffer.from([137,80,78,71,13,10,26,10]),part('IHDR',h),part('IDAT',z.deflateSync(raw)),part('IEND',Buffer.alloc(0))]))\"";

fn bash(command: &str) -> Step {
    Step::tool("Bash", serde_json::json!({ "command": command, "description": "test" }))
}

#[tokio::test]
async fn a_picture_the_agent_sends_arrives_small_enough_for_a_text() {
    world::relay();
    let send =
        |path: &str| Step::tool("mcp__lanyard__send_photo", serde_json::json!({ "path": path, "caption": "The page" }));
    let scripts = vec![
        Script::when("show me").step(bash(DRAW)).step(send("/workspace/noise.png")).step(Step::text("Shown.")),
        Script::when("show nothing").step(send("/etc/passwd")).step(Step::text("Not shown.")),
    ];
    let config = "[agent]\nmode = \"bypassPermissions\"\n";
    let w = World::new(Wish { sandbox: true, scripts, config }).await;
    let running = w.start().await;
    w.text("show me").await;
    let shown = w.arrives(LATER).await;
    assert_eq!((shown.body.as_str(), shown.pictures.len()), ("The page", 1), "{shown:?}");
    assert_eq!(shown.pictures[0].media_type, "image/jpeg");
    assert!((1000..1_000_000).contains(&shown.pictures[0].bytes.len()));
    assert_eq!(w.arrives(LATER).await.body, "Shown.");
    w.text("show nothing").await;
    let told = w.arrives(LATER).await;
    assert_eq!((told.body.as_str(), told.pictures.len()), ("Not shown.", 0), "what is no picture is not sent");
    running.remove().await;
}

#[tokio::test]
async fn shot_shows_a_page_of_the_sandbox() {
    world::relay();
    let serve = "cd /workspace && echo '<h1>Hello</h1>' > index.html && (setsid python3 -m http.server 3000 >/dev/null 2>&1 &) && for i in $(seq 50); do curl -sf http://127.0.0.1:3000/ && break; sleep 0.1; done";
    let scripts = vec![Script::when("serve it").step(bash(serve)).step(Step::text("Served."))];
    let config = "[agent]\nmode = \"bypassPermissions\"\n";
    let w = World::new(Wish { sandbox: true, scripts, config }).await;
    let running = w.start().await;
    w.text("serve it").await;
    assert_eq!(w.arrives(LATER).await.body, "Served.");
    w.text("shot").await;
    w.text("status").await;
    assert!(w.arrives(SOON).await.body.contains("idle"), "a picture that takes long holds up no answer");
    let shot = w.arrives(LATER).await;
    assert_eq!((shot.body.as_str(), shot.pictures.len()), ("Page: http://127.0.0.1:3000/", 1), "{shot:?}");
    assert!(shot.pictures[0].bytes.len() > 1000);
    w.text("shot 4000").await;
    let none = w.arrives(LATER).await;
    assert!(none.pictures.is_empty() && !none.body.is_empty(), "{none:?}");
    running.remove().await;
}
