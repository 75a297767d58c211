//! See the library of this crate.

fn main() -> std::process::ExitCode {
    gazer::main()
}
