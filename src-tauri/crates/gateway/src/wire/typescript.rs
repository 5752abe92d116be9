//! The page's TypeScript, made from the wire's types.

use super::*;
use domain::Code;
use std::{any::TypeId, collections::BTreeMap};
use ts_rs::{Config, TS, TypeVisitor};

const HEAD: &str = "\
// The companion API's types. Made from src-tauri/crates/gateway/src/wire; a test proves them fresh. To make them anew:
// LANYARD_WRITE=1 cargo test -p gateway --lib wire
";

/// Every declaration, with its documentation, sorted by name.
struct Declared {
    config: Config,
    seen: Vec<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declared {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if self.seen.contains(&TypeId::of::<T>()) {
            return;
        }
        self.seen.push(TypeId::of::<T>());
        if T::output_path().is_some() {
            let ident = T::ident(&self.config);
            let docs = T::docs().unwrap_or_default();
            self.by_name.insert(ident, format!("{docs}export {}\n", T::decl(&self.config)));
        }
        T::visit_generics(self);
        T::visit_dependencies(self);
    }
}

/// The whole file `ui/src/lib/api/wire.ts`.
pub fn typescript() -> String {
    let config = Config::new().with_large_int("number");
    let mut all = Declared { config, seen: Vec::new(), by_name: BTreeMap::new() };
    all.visit::<Frame>();
    all.visit::<ClientFrame>();
    all.visit::<ErrorBody>();
    all.visit::<Events>();
    all.visit::<SearchHits>();
    all.visit::<Artifacts>();
    all.visit::<SessionPage>();
    all.visit::<SessionChange>();
    all.visit::<Approvals>();
    all.visit::<LinkShown>();
    all.visit::<Health>();
    all.visit::<Info>();
    all.visit::<ClaudeTest>();
    all.visit::<Pair>();
    all.visit::<Tokens>();
    all.visit::<Refresh>();
    all.visit::<Ticket>();
    all.visit::<PairingShown>();
    all.visit::<Phones>();
    all.visit::<PhoneChange>();
    all.visit::<PushKey>();
    all.visit::<PushSubscription>();
    all.visit::<PushEndpoint>();
    all.visit::<PushShown>();
    all.visit::<PushNotice>();
    all.visit::<MakeApiToken>();
    all.visit::<TaskPage>();
    all.visit::<MakeTask>();
    all.visit::<RetryTask>();
    all.visit::<Repositories>();
    all.visit::<Branches>();
    all.visit::<Schedules>();
    all.visit::<MakeSchedule>();
    all.visit::<ApiTokenMade>();
    all.visit::<ApiTokens>();
    desk_types(&mut all);
    records_types(&mut all);
    let types: Vec<String> = all.by_name.into_values().collect();
    format!("{HEAD}\n{}\n{}", codes(), types.join("\n"))
}

/// The local door's.
fn desk_types(all: &mut Declared) {
    all.visit::<desk::Home>();
    all.visit::<desk::Finding>();
    all.visit::<desk::BuildImage>();
    all.visit::<desk::ImageProgress>();
    all.visit::<desk::Settings>();
    all.visit::<desk::Restart>();
    all.visit::<desk::Restarting>();
    all.visit::<desk::LockShown>();
    all.visit::<desk::Hosts>();
    all.visit::<desk::HostWish>();
    all.visit::<desk::RulesMade>();
    all.visit::<desk::RuleGone>();
    all.visit::<desk::PinShown>();
    all.visit::<desk::PinWish>();
    all.visit::<desk::AuditShown>();
    all.visit::<desk::KeepSecret>();
    all.visit::<desk::AccountChecked>();
    all.visit::<desk::Skip>();
    all.visit::<desk::TunnelSetup>();
    all.visit::<desk::TunnelSetupShown>();
    all.visit::<desk::TwilioAccountWish>();
    all.visit::<desk::TwilioAccountShown>();
    all.visit::<desk::TwilioNumber>();
    all.visit::<desk::TwilioNumberWish>();
    all.visit::<desk::TwilioAllow>();
    all.visit::<desk::TwilioSaved>();
    all.visit::<desk::WebhookShown>();
    all.visit::<desk::HelloAsk>();
    all.visit::<desk::HelloSent>();
    all.visit::<desk::HelloShown>();
}

/// What was kept, as the desk shows it.
fn records_types(all: &mut Declared) {
    all.visit::<desk::Usage>();
    all.visit::<desk::Activity>();
    all.visit::<desk::ImportFound>();
    all.visit::<desk::ImportWish>();
    all.visit::<desk::ImportLine>();
    all.visit::<desk::SignInLine>();
}

fn codes() -> String {
    let names: Vec<String> = Code::ALL.iter().map(|code| format!("    | \"{}\"", code.entry().name)).collect();
    format!("/** Every error a person can meet. */\nexport type Code =\n{};\n", names.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn the_pages_types_are_those_of_the_wire() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/lib/api/wire.ts");
        let fresh = super::typescript();
        if std::env::var_os("LANYARD_WRITE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &fresh).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == fresh,
            "ui/src/lib/api/wire.ts is not what the types say; its first line says how to make it anew"
        );
    }
}
