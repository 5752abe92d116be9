//! Looks behind the file names in what an agent asks, before it is judged and shown: a name may be a link to another file.

use crate::sessions::Workshop;
use domain::{approval::Subject, risk::named_file, session::Write};

/// Puts the real file into each question that names one. Where the sandbox cannot say, the question says that.
pub async fn look(workshop: &Workshop, writes: &mut [Write]) {
    for write in writes {
        let Write::Ask { subject: Subject::Tool { tool, input, target, .. }, .. } = write else { continue };
        if let Some(path) = named_file(tool, input) {
            *target = Some(workshop.target(path).await);
        }
    }
}
