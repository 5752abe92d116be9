//! A person's words as the answers to an agent's questions.

use crate::agent::Question;

/// Numbers pick options (`2`, or `1 3` where several may be), labels match without regard to case, anything else is a free
/// answer. With several questions, one line or one `;` part for each; none where the parts are not as many as the questions.
pub fn read_answers(questions: &[Question], words: &str) -> Option<Vec<String>> {
    read_first_answers(questions, words).filter(|answers| answers.len() == questions.len())
}

/// The same to the first of `questions`, as many as the words have parts; none where those are more than the questions.
pub fn read_first_answers(questions: &[Question], words: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = match questions.len() {
        0 => return None,
        1 => vec![words.trim()],
        _ => words.split([';', '\n']).map(str::trim).filter(|p| !p.is_empty()).collect(),
    };
    let fit = (1..=questions.len()).contains(&parts.len()) && parts.iter().all(|p| !p.is_empty());
    fit.then(|| questions.iter().zip(parts).map(|(q, part)| read_answer(q, part)).collect())
}

fn read_answer(question: &Question, words: &str) -> String {
    let by_number = |word: &str| {
        let n: usize = word.parse().ok()?;
        question.options.get(n.checked_sub(1)?).map(|o| o.label.clone())
    };
    let picks: Option<Vec<String>> =
        words.split([' ', ',']).filter(|w| !w.is_empty()).map(|w| by_number(w.trim_end_matches(['.', ')']))).collect();
    match picks {
        Some(labels) if labels.len() == 1 || (question.several && !labels.is_empty()) => labels.join(", "),
        _ => question
            .options
            .iter()
            .find(|o| o.label.eq_ignore_ascii_case(words))
            .map_or_else(|| words.to_owned(), |o| o.label.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::QuestionOption;
    use proptest::prelude::*;

    fn question(several: bool, labels: &[&str]) -> Question {
        let option = |label: &&str| QuestionOption { label: (*label).into(), description: String::new() };
        Question { question: "Which?".into(), header: None, several, options: labels.iter().map(option).collect() }
    }

    #[test]
    fn answers_are_read_by_number_label_or_as_written() {
        let q = question(true, &["Red", "Blue"]);
        let one = std::slice::from_ref(&q);
        assert_eq!(read_answers(one, "2"), Some(vec!["Blue".into()]));
        assert_eq!(read_answers(one, "1, 2"), Some(vec!["Red, Blue".into()]));
        assert_eq!(read_answers(one, "blue"), Some(vec!["Blue".into()]));
        assert_eq!(read_answers(one, "neither, green"), Some(vec!["neither, green".into()]));
        assert_eq!(read_answers(&[q.clone(), q.clone()], "1; green"), Some(vec!["Red".into(), "green".into()]));
        assert_eq!(read_answers(&[q.clone(), q.clone()], "1"), None);
        assert_eq!(read_first_answers(&[q.clone(), q.clone()], "1"), Some(vec!["Red".into()]));
        assert_eq!(read_first_answers(&[q.clone(), q], "1; 2; 1"), None);
    }

    fn questions() -> impl Strategy<Value = Vec<Question>> {
        let one = (any::<bool>(), prop::collection::vec("[A-Za-z]{1,8}", 0..5))
            .prop_map(|(several, labels)| question(several, &labels.iter().map(String::as_str).collect::<Vec<_>>()));
        prop::collection::vec(one, 0..4)
    }

    proptest! {
        #[test]
        fn any_words_give_one_answer_for_each_question_or_none(questions in questions(), words in any::<String>()) {
            if let Some(answers) = read_answers(&questions, &words) {
                prop_assert_eq!(answers.len(), questions.len());
                prop_assert!(!questions.is_empty() && answers.iter().all(|a| !a.trim().is_empty()));
            }
        }

        #[test]
        fn a_number_picks_that_option_and_a_number_too_high_stays_what_was_written(
            questions in questions().prop_filter("some", |q| !q.is_empty()), n in 1usize..9
        ) {
            let words = vec![n.to_string(); questions.len()].join("; ");
            let answers = read_answers(&questions, &words).unwrap();
            for (question, answer) in questions.iter().zip(answers) {
                let expected = question.options.get(n - 1).map_or(n.to_string(), |o| o.label.clone());
                prop_assert_eq!(answer, expected);
            }
        }

        #[test]
        fn what_is_neither_number_nor_label_is_kept_word_for_word(words in "[g-z]{9,20}( [g-z]{9,20}){0,3}") {
            let q = question(true, &["Red", "Blue"]);
            prop_assert_eq!(read_answers(std::slice::from_ref(&q), &words), Some(vec![words]));
        }
    }
}
