//! A folder of the owner's as the workspace.

use crate::world::{World, spec};
use domain::Code;
use sandbox::Workspace;
use std::os::unix::fs::{MetadataExt, chown};

#[tokio::test]
async fn work_in_the_owners_folder_belongs_to_the_owner() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    chown(folder.path(), Some(world.settings.agent_uid), Some(world.settings.agent_uid)).unwrap();
    std::fs::write(folder.path().join("from-outside"), "hello").unwrap();
    let mut spec = spec();
    spec.workspace = Workspace::Folder(folder.path().to_owned());
    world.ensure(&spec).await.unwrap();
    assert_eq!(world.sh(spec.id, "cat from-outside; echo inside > from-inside").await, "hello");
    let made = folder.path().join("from-inside");
    assert_eq!(std::fs::read_to_string(&made).unwrap(), "inside\n");
    assert_eq!(made.metadata().unwrap().uid(), world.settings.agent_uid);
}

#[tokio::test]
async fn a_folder_of_another_user_or_none_is_refused_before_anything_is_made() {
    let world = World::new().await;
    let (foreign, mut spec) = (tempfile::tempdir().unwrap(), spec());
    chown(foreign.path(), Some(1), Some(1)).unwrap();
    for path in [foreign.path().to_owned(), foreign.path().join("missing"), "/".into(), std::env::home_dir().unwrap()] {
        spec.workspace = Workspace::Folder(path);
        assert_eq!(world.ensure(&spec).await.unwrap_err().code(), Code::WorkspaceRefused, "{spec:?}");
    }
    assert_eq!(world.list().await.unwrap(), []);
}
