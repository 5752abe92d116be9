//! The rehearsal walk: a small project with a failing test, and what the model says while the real agent mends it. The
//! edit, the test runs and the picture are real; only the model's words are written here.

use crate::anthropic::{Script, Step};
use serde_json::json;

/// What the owner texts.
pub const WORDS: &str = "fix the failing test in billing";

/// Where the picture is left, below the workspace.
pub const PICTURE: &str = "billing/invoice.png";

/// The project's files: path below `/workspace/billing`, contents.
pub const PROJECT: &[(&str, &str)] = &[
    ("package.json", include_str!("rehearsal/project/package.json")),
    ("README.md", include_str!("rehearsal/project/README.md")),
    ("src/invoice.js", include_str!("rehearsal/project/src/invoice.js")),
    ("test/invoice.test.js", include_str!("rehearsal/project/test/invoice.test.js")),
    ("public/invoice.html", include_str!("rehearsal/project/public/invoice.html")),
];

/// The line that is wrong, and the line that is right.
pub const MENDED: (&str, &str) = ("sum + line.price", "sum + line.quantity * line.price");

/// The walk in a workspace at `root` (`/workspace` in a sandbox): look, read, see the test fail, edit, see it pass, make a
/// picture of the page, send it, and say what was done. `shot` is the command that makes a picture: it is given the page's
/// `file://` address, the picture's path and the size.
pub fn script(root: &str, shot: &str) -> Script {
    let billing = format!("{root}/billing");
    let file = format!("{billing}/src/invoice.js");
    let picture = format!("{root}/{PICTURE}");
    let bash = |command: String, description: &str| {
        Step::tool("Bash", json!({ "command": command, "description": description }))
    };
    let run_test = || bash(format!("cd {billing} && node --test 2>&1"), "Run the billing tests");
    Script::when(WORDS)
        .step(Step::text("I will look at the project first.").and_tool(
            "Bash",
            json!({ "command": format!("ls -R {billing}"), "description": "List the billing project" }),
        ))
        .step(Step::tool("Read", json!({ "file_path": file })))
        .step(run_test())
        .step(
            Step::text("The subtotal forgets how many pieces a line has. I will count them.")
                .and_tool("Edit", json!({ "file_path": file, "old_string": MENDED.0, "new_string": MENDED.1 })),
        )
        .step(run_test())
        .step(bash(
            format!("{shot} file://{billing}/public/invoice.html {picture} 800x600"),
            "Take a picture of the invoice page",
        ))
        .step(Step::tool("mcp__lanyard__send_photo", json!({ "path": picture, "caption": "The invoice page" })))
        .step(Step::text(
            "Done: the billing tests pass again. The subtotal added each line's price once; now it counts the pieces. \
             1 file changed (src/invoice.js). The picture shows the invoice page.",
        ))
}
