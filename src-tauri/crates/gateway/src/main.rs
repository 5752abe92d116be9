//! The headless program: the gateway and its command line, without a display.

fn main() -> std::process::ExitCode {
    #[cfg(feature = "failpoints")]
    let _until_the_end = fail::FailScenario::setup();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("The program could not start its threads: {e}");
            return std::process::ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(gateway::cli::main());
    // Nothing is waited for any more: `Gateway::run` has ended what it started.
    runtime.shutdown_background();
    code
}
