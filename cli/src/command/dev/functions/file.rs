//! The functions file, as text → what it says of each function, and everything that is wrong with it, each fault with
//! the function it stands at.

use std::path::{Path, PathBuf};

use sandbox::FunctionConfig;
use serde_json::Value;

use super::object::Object;
use super::{fault, key, settings};
use crate::command::dev::guess::Runtime;
use crate::exit::Refused;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) service: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    pub(super) functions: Vec<Function>,
    /// What is wrong with it besides its functions, a line each.
    pub(super) faults: Vec<String>,
}

/// A function as a person describes it: what the sandbox is told, and from what its program is found.
#[derive(Debug)]
pub(super) struct Function {
    /// Where it stands, before its faults.
    pub(super) place: String,
    /// All settings; folder, program and handler come later.
    pub(super) config: FunctionConfig,
    pub(super) dir: PathBuf,
    pub(super) runtime: Option<Runtime>,
    pub(super) handler: Option<String>,
    pub(super) command: Option<Vec<String>>,
    pub(super) routes: Option<Vec<String>>,
    pub(super) with_extension: bool,
    pub(super) other_extensions: Vec<PathBuf>,
    pub(super) with_faked_clock: bool,
    /// What is wrong with it.
    pub(super) faults: Vec<String>,
}

impl Function {
    /// One with nothing but defaults.
    pub(super) fn new(place: String, name: String) -> Self {
        Self {
            place,
            config: FunctionConfig::new(name, Vec::new()),
            dir: PathBuf::new(),
            runtime: None,
            handler: None,
            command: None,
            routes: None,
            with_extension: true,
            other_extensions: Vec::new(),
            with_faked_clock: false,
            faults: Vec::new(),
        }
    }
}

/// Reads the file.
///
/// # Errors
/// When it cannot be read or is no JSON. What is wrong with its keys is told in [`File::faults`].
pub(super) fn read(path: &Path) -> Result<File, Refused> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Refused::usage(format!("{shown} cannot be read: {error}")))?;
    let json: Value = serde_json::from_str(&text)
        .map_err(|error| Refused::usage(format!("{shown} is not JSON: {error}")))?;
    let mut object = Object::new(json, key::FILE);
    let mut file = File {
        service: object.text(&key::SERVICE),
        region: object.text(&key::REGION),
        account: object.text(&key::ACCOUNT),
        functions: Vec::new(),
        faults: Vec::new(),
    };
    let functions = object.objects(&key::FUNCTIONS);
    file.faults.extend(object.finish().into_iter().map(|fault| format!("{shown}: {fault}")));
    for (number, value) in functions.into_iter().enumerate() {
        let place = format!("{shown}: functions[{number}]");
        match value {
            Value::Object(_) => file.functions.push(function(place, value)),
            other => file
                .faults
                .push(format!("{place} is {other}; it must be an object, as {{\"name\": \"orders\"}}")),
        }
    }
    Ok(file)
}

fn function(place: String, value: Value) -> Function {
    let place = match value.get(key::NAME.name).and_then(Value::as_str) {
        Some(name) => format!("{place} {name:?}"),
        None => place,
    };
    let mut object = Object::new(value, key::FUNCTION);
    if !object.has(&key::NAME) {
        object.fault(format!("it has no name; give it one of {}", key::NAME.values));
    }
    let mut function = Function::new(place, object.text(&key::NAME).unwrap_or_default());
    settings::read(&mut object, &mut function.config);
    if let Some(faults) = fault::read(&mut object) {
        function.config.faults = Some(faults.plan);
        function.with_faked_clock = faults.faked_clock;
    }
    function.dir = object.text(&key::DIR).unwrap_or_default().into();
    function.runtime = object.word(&key::RUNTIME, &[Runtime::Python, Runtime::Node, Runtime::Custom]);
    function.handler = object.text(&key::HANDLER);
    function.command = object.texts(&key::COMMAND);
    function.routes = object.texts(&key::ROUTES);
    function.with_extension = object.flag(&key::EXTENSION).unwrap_or(true);
    let others = object.texts(&key::OTHER_EXTENSIONS).unwrap_or_default();
    function.other_extensions = others.into_iter().map(PathBuf::from).collect();
    if function.command.is_some() && function.runtime.is_some() {
        object.fault("command and runtime exclude each other; take one of them");
    }
    if function.command.as_ref().is_some_and(Vec::is_empty) {
        object.fault("command is empty; its first text is the program");
    }
    function.faults = object.finish();
    function
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<File, Refused> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    fn faults(file: &File) -> Vec<String> {
        let of = |function: &Function| {
            function.faults.iter().map(|fault| format!("{}: {fault}", function.place)).collect::<Vec<_>>()
        };
        file.faults.iter().cloned().chain(file.functions.iter().flat_map(of)).collect()
    }

    #[test]
    fn a_file_is_read_whole() {
        let file = read_text(
            r#"{"service": "shop", "region": "eu-west-1", "account": "123456789012", "functions": [
            {"name": "orders", "dir": "orders", "command": ["/bin/cat"], "handler": "x.y", "extension": false,
             "otherExtensions": ["bin/other"], "routes": ["GET /orders/{id}"], "memoryMb": 512,
             "faults": {"seed": 7, "clockJump": 0.25, "fakedClock": true}},
            {"name": "pay", "runtime": "node"}]}"#,
        )
        .unwrap();
        assert_eq!(faults(&file), Vec::<String>::new());
        assert_eq!((file.service.as_deref(), file.region.as_deref()), (Some("shop"), Some("eu-west-1")));
        assert_eq!(file.account.as_deref(), Some("123456789012"));
        let [orders, pay] = &file.functions[..] else { panic!("{:?}", file.functions) };
        assert_eq!((orders.config.name.as_str(), orders.config.memory_mb), ("orders", 512));
        assert_eq!((orders.dir.as_path(), orders.handler.as_deref()), (Path::new("orders"), Some("x.y")));
        assert_eq!(orders.command.as_deref(), Some(&["/bin/cat".to_owned()][..]));
        assert_eq!(orders.routes.as_deref(), Some(&["GET /orders/{id}".to_owned()][..]));
        assert_eq!(orders.other_extensions, [Path::new("bin/other")]);
        assert!(!orders.with_extension && orders.with_faked_clock && pay.with_extension);
        assert_eq!(orders.config.faults.map(|plan| (plan.seed, plan.odds.clock_jump)), Some((7, 0.25)));
        assert_eq!(pay.runtime, Some(Runtime::Node));
    }

    #[test]
    fn all_faults_are_told_at_once_with_file_and_function() {
        let file = read_text(
            r#"{"regoin": "eu-west-1", "account": 1, "functions": [
            {"name": "a b", "memoryMb": 64, "timeout": 3}, {}, 7,
            {"name": "c", "runtime": "python", "command": []}]}"#,
        )
        .unwrap();
        let told = faults(&file).join("\n");
        for fault in [
            ": account is 1; it must be 12 digits",
            r#": there is no key "regoin"; did you mean region?"#,
            r#": functions[0] "a b": name is "a b"; it must be"#,
            r#": functions[0] "a b": memoryMb is 64; it must be a whole number from 128 to 10240"#,
            r#": functions[0] "a b": there is no key "timeout"; did you mean timeoutSeconds?"#,
            ": functions[1]: it has no name",
            ": functions[2] is 7; it must be an object",
            r#": functions[3] "c": command and runtime exclude each other"#,
            r#": functions[3] "c": command is empty"#,
        ] {
            assert!(told.contains(fault), "{fault} is not in: {told}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        let error = read_text("{\n\"functions\": [,]}").unwrap_err().to_string();
        assert!(error.contains("is not JSON") && error.contains("line 2"), "{error}");
        assert!(
            read(Path::new("/no/such/file.json")).unwrap_err().to_string().contains("/no/such/file.json")
        );
    }
}
