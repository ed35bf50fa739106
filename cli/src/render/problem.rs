//! What the API refused, with the place in the query underlined.

use api::{Fault, Problem};

use super::text::{Colour, Paint, visible, width};

/// Characters of the query shown on either side of the fault: a query may be long, a terminal is not.
const CONTEXT_CHARS: usize = 60;

/// The problem as lines, without a line break at the end.
pub fn show(problem: &Problem, paint: Paint) -> String {
    let error = paint.bold(Colour::Red, "error:");
    if problem.faults.is_empty() {
        let hint = problem.hint.as_deref().map(|hint| hint_line(hint, paint)).unwrap_or_default();
        return format!("{error} {}{hint}", visible(&problem.detail));
    }
    let faults: Vec<String> =
        problem.faults.iter().map(|fault| format!("{error} {}", show_fault(fault, paint))).collect();
    faults.join("\n")
}

fn show_fault(fault: &Fault, paint: Paint) -> String {
    let line = fault.line.zip(fault.column);
    let line = line.map(|(line, column)| format!("line {line}, column {column}: ")).unwrap_or_default();
    let key = fault.at.as_deref().map(|at| format!("{}: ", visible(at))).unwrap_or_default();
    let place = line + &key;
    let line = underlined(fault, paint).unwrap_or_default();
    let hint = fault.hint.as_deref().map(|hint| hint_line(hint, paint)).unwrap_or_default();
    format!("{place}{}{line}{hint}", visible(&fault.message))
}

fn hint_line(hint: &str, paint: Paint) -> String {
    format!("\n  {} {}", paint.colour(Colour::Cyan, "hint:"), visible(hint))
}

fn underlined(fault: &Fault, paint: Paint) -> Option<String> {
    let (start, end) = fault.span?;
    let (before, wrong) = (fault.source.get(..start)?, fault.source.get(start..end.max(start))?);
    let after = fault.source.get(end.max(start)..)?;
    let skipped = before.chars().count().saturating_sub(CONTEXT_CHARS);
    let head = visible(&before.chars().skip(skipped).collect::<String>()).into_owned();
    let wrong = visible(&wrong.chars().take(CONTEXT_CHARS).collect::<String>()).into_owned();
    let tail = visible(&after.chars().take(CONTEXT_CHARS).collect::<String>()).into_owned();
    let carets = "^".repeat(width(&wrong).max(1));
    Some(format!(
        "\n  {head}{wrong}{tail}\n  {}{}",
        " ".repeat(width(&head)),
        paint.colour(Colour::Red, &carets)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_underlined_and_the_hint_follows() {
        let fault = Fault {
            message: "no calculation is called CUONT".to_owned(),
            hint: Some("did you mean COUNT?".to_owned()),
            source: "漢 CUONT".to_owned(),
            position: Some(3),
            span: Some((4, 9)),
            ..Fault::default()
        };
        let problem = Problem { faults: vec![fault], ..Problem::bad_request("…") };
        assert_eq!(
            show(&problem, Paint::none()),
            "error: no calculation is called CUONT\n  漢 CUONT\n     ^^^^^\n  hint: did you mean COUNT?"
        );
    }

    #[test]
    fn a_problem_without_a_place_is_one_line() {
        let problem = Problem::not_found("there is no dataset \"x\x1b\"").hint("there are: lambda-logs");
        let shown = show(&problem, Paint::none());
        assert_eq!(shown, "error: there is no dataset \"x\\x1b\"\n  hint: there are: lambda-logs");
    }

    #[test]
    fn a_span_that_lies_does_no_harm() {
        let fault = Fault {
            message: "odd".to_owned(),
            source: "é".to_owned(),
            span: Some((1, 99)),
            ..Fault::default()
        };
        assert_eq!(show_fault(&fault, Paint::none()), "odd");
    }
}
