//! How a command ends when it does not succeed, and how it prints what it found.

use gatelet::data::DataError;
use gatelet::network::ModelError;
use gatelet::train::TrainError;
use std::io::Write;
use std::process::ExitCode;

/// Why a command did not succeed.
pub enum Failure {
    /// The command line cannot be meant: exit status 2.
    Usage(String),
    /// It did not work: exit status 1.
    Failed(String),
    /// Whoever read the results has stopped reading: no failure at all.
    ClosedPipe,
}

impl Failure {
    /// Says why, and gives the exit status.
    pub fn report(self) -> ExitCode {
        let (status, message) = match self {
            Failure::ClosedPipe => return ExitCode::SUCCESS,
            Failure::Failed(message) => (1, message),
            Failure::Usage(message) => (2, message),
        };
        // Where not even this can be written, the exit status has to do.
        let _ = writeln!(std::io::stderr(), "error: {message}");
        ExitCode::from(status)
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Description(_) | TrainError::Option { .. } => Failure::Usage(error.to_string()),
            TrainError::Data(error) => error.into(),
            error => Failure::Failed(error.to_string()),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Option { .. } => Failure::Usage(error.to_string()),
            error => Failure::Failed(error.to_string()),
        }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Failure::Failed(error.to_string())
    }
}

/// Writes results to standard output.
pub fn print(text: impl core::fmt::Display) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
        _ => Failure::Failed(format!("cannot write the results: {error}")),
    })
}

/// Writes results to standard output as one line of JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?)
}

/// Says something about the way there on standard error.
pub fn note(text: impl core::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
