//! Sandboxes against a real engine. Each test has its own instance label, so it sees and removes only its own things.

#[path = "docker/carriers.rs"]
mod carriers;
#[path = "docker/files.rs"]
mod files;
#[path = "docker/healing.rs"]
mod healing;
#[path = "docker/image.rs"]
mod image;
#[path = "docker/processes.rs"]
mod processes;
#[path = "docker/walls.rs"]
mod walls;
#[path = "docker/workspaces.rs"]
mod workspaces;
#[path = "docker/world.rs"]
mod world;
