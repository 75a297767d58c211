//! How many files may be open: every check in flight holds a socket, and the usual soft limit of 1,024 is for programs
//! that still call `select`.

/// What is usual, where the real one cannot be read.
const USUAL: u64 = 1_024;

/// Raises the soft limit to the hard one, and answers it. What cannot be raised is said, and is no reason to stop.
pub(crate) fn raise() -> u64 {
    raise_descriptors().unwrap_or_else(|err| {
        tracing::warn!(error = %err, "the limit of open files could not be raised");
        USUAL
    })
}

#[expect(unsafe_code, reason = "getrlimit and setrlimit have no safe door; both only touch the struct passed to them")]
fn raise_descriptors() -> std::io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit that outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: as above; the call only reads it.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}
