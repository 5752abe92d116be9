//! The headless program: the gateway and its command line, without a display.

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "failpoints")]
    let _until_the_end = fail::FailScenario::setup();
    // Each thread keeps memory of its own. The work is waiting, for which a few are enough on the largest computer.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4));
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let runtime = match threads.worker_threads(workers).max_blocking_threads(32).enable_all().build() {
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
