//! How a command ends when it does not succeed.

use gatelet::data::DataError;
use gatelet::export::ExportError;
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
            DataError::Option { option, problem } => Failure::Usage(format!("--{option}: {problem}")),
            error => Failure::Failed(error.to_string()),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Failure::Failed(error.to_string())
    }
}
