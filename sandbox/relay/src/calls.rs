//! System calls that nothing in a sandbox has a use for and that lead past its walls. Engines refuse some of them in their newer
//! versions only (moby: `AF_VSOCK` from 23.0, io_uring from 25.0), so they are refused here whatever the engine is.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use std::{collections::BTreeMap, io};

/// Families of sockets that stay: none of them leads out, for the sandbox has no network but its own loopback.
const FAMILIES: [i32; 5] = [libc::AF_UNSPEC, libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// How a program reads and changes another of the same user: the agent's own are all one user's. Debuggers and tracers need them.
const MEDDLING: [i64; 4] =
    [libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_pidfd_getfd];

/// From now on this thread, and all that it starts, opens no socket of another family (a virtual machine's host listens on some)
/// and no ring, whose work no filter sees, and traces nobody.
///
/// # Errors
/// As the system's.
pub fn narrow() -> io::Result<()> {
    let other = FAMILIES.map(|family| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.unsigned_abs()))
    });
    let other = other.into_iter().collect::<Result<Vec<_>, _>>().and_then(SeccompRule::new);
    let other = other.map_err(io::Error::other)?;
    refuse([(libc::SYS_socket, vec![other])], libc::EAFNOSUPPORT)?;
    refuse([(libc::SYS_io_uring_setup, Vec::new())], libc::ENOSYS)?;
    refuse(MEDDLING.map(|call| (call, Vec::new())), libc::EPERM)
}

fn refuse<const N: usize>(calls: [(i64, Vec<SeccompRule>); N], with: i32) -> io::Result<()> {
    let arch = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let refused = SeccompAction::Errno(with.unsigned_abs());
    let filter = SeccompFilter::new(BTreeMap::from(calls), SeccompAction::Allow, refused, arch);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(io::Error::other)?;
    apply_filter(&program).map_err(io::Error::other)
}
