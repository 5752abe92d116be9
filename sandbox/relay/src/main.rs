//! The program inside a sandbox: `serve` is its main process, `pipe` a carrier for it, `end` ends marked processes, `within`
//! runs a program within limits.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match linux::run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("lanyard-relay: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use relay::{
        PIPE_SOCKET, PORT, SOCKET_FOLDER, SOCKET_NAME, calls, end, pipe, serve,
        within::{self, Limits},
    };
    use std::{io, path::Path, process::ExitCode};

    const USAGE: &str = "use: lanyard-relay serve [PORT PIPE_SOCKET [GATEWAY_SOCKET]] | pipe [PIPE_SOCKET] | end MARK [PID] | within MEMORY CPU FILE FREE -- PROGRAM ...";

    pub fn run(arguments: &[&str]) -> io::Result<ExitCode> {
        if let ["within", within @ ..] = arguments {
            let (limits, argv) = Limits::parse(within).ok_or_else(usage)?;
            calls::narrow()?;
            let code = wait_for(within::run(limits, argv))?;
            return Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)));
        }
        carry(arguments).map(|()| ExitCode::SUCCESS)
    }

    fn carry(arguments: &[&str]) -> io::Result<()> {
        match arguments {
            ["serve"] => {
                // Mounted only where the engine can share a socket with the gateway.
                let socket = Path::new(SOCKET_FOLDER).join(SOCKET_NAME);
                let dial = Path::new(SOCKET_FOLDER).is_dir().then_some(socket);
                serve(serve::Places { port: PORT, dial, pipe: Some(PIPE_SOCKET.into()) })
            }
            ["serve", port, pipe, dial @ ..] if dial.len() < 2 => {
                let port = port.parse().map_err(|_| usage())?;
                serve(serve::Places { port, dial: dial.first().map(Into::into), pipe: Some(pipe.into()) })
            }
            ["pipe"] => wait_for(pipe::pipe(Path::new(PIPE_SOCKET))),
            ["pipe", socket] => wait_for(pipe::pipe(Path::new(socket))),
            ["end", mark] => end(mark, None),
            ["end", mark, pid] => end(mark, Some(pid.parse().map_err(|_| usage())?)),
            _ => Err(usage()),
        }
    }

    fn serve(places: serve::Places) -> io::Result<()> {
        wait_for(serve::serve(places, |port| println!("{port}")))
    }

    fn end(mark: &str, pid: Option<i32>) -> io::Result<()> {
        end::end(mark, pid).map(|report| println!("{report}"))
    }

    fn usage() -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, USAGE)
    }

    /// One thread: the relay only moves bytes, and its memory counts as the sandbox's.
    fn wait_for<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("lanyard-relay runs inside a sandbox, which is Linux.");
    std::process::exit(1);
}
