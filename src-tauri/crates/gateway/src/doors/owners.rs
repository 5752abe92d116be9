//! Routes that are the owner's alone, each written once: what is mounted is what a test looks for at the other doors.

/// A method (as the router names it) and a path with its blanks.
pub type Route = (&'static str, &'static str);

/// Makes `ROUTES`, and `routes()`, the router of them.
macro_rules! owners {
    ($($method:ident $path:literal => $handler:path),+ $(,)?) => {
        pub const ROUTES: &[$crate::doors::owners::Route] = &[$((stringify!($method), $path)),+];

        pub fn routes() -> axum::Router<$crate::gateway::App> {
            axum::Router::new()$(.route($path, axum::routing::$method($handler)))+
        }
    };
}
pub(super) use owners;
