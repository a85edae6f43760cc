//! 토토마를자먹 goes in, 토마토를먹자 ("let's eat a tomato") comes out, a character in each step: a SimpleRNN, an LSTM and a
//! GRU learn it in ten epochs.
//!
//! `cargo run --example tomato --features std`, with another seed behind `--` if you like: not every one gets it right in
//! so few epochs, here as in Keras. Comments show the line of Keras or PyTorch that a line stands for.

use gatelet::data::{DataError, Dataset, Series, Targets};
use gatelet::math::argmax;
use gatelet::network::{Model, Network};
use gatelet::train::{Options, Trainer, predict};
use std::error::Error;

const CHARACTERS: [char; 5] = ['토', '마', '를', '먹', '자'];
const INPUT: &str = "토토마를자먹";
/// What the networks shall answer.
pub const TARGET: &str = "토마토를먹자";

/// The seed of initial parameters unless another one is asked for.
pub const SEED: u64 = 1;

/// Keras: `SimpleRNN(5, return_sequences=True), Dense(5, activation="softmax")`
pub const SIMPLE_RNN: &str = "simple_rnn(5, sequences), dense(5, softmax)";
/// Keras: `LSTM(5, return_sequences=True), Dense(32, activation="relu"), Dense(5, activation="softmax")`
pub const LSTM: &str = "lstm(5, sequences), dense(32, relu), dense(5, softmax)";
/// Keras: `GRU(5, return_sequences=True), Dense(32, activation="relu"), Dense(5, activation="softmax")`
pub const GRU: &str = "gru(5, sequences), dense(32, relu), dense(5, softmax)";

/// What a network learnt.
pub struct Learnt {
    /// The loss of each epoch, before its update.
    pub losses: Vec<f64>,
    /// What it answers to the input.
    pub answer: String,
}

/// The lesson: one sequence, every step of which has its character as one-hot input and a class as target.
fn data() -> Result<Dataset, DataError> {
    // char_to_index = {c: i for i, c in enumerate(characters)};  y = [char_to_index[c] for c in target]
    let indices = |text: &str| -> Vec<usize> {
        text.chars().filter_map(|c| CHARACTERS.iter().position(|&known| known == c)).collect()
    };
    // x = keras.utils.to_categorical(x, 5)               PyTorch: x = F.one_hot(x, 5).float()
    let one_hot = |index: usize| std::array::from_fn::<f32, 5, _>(|i| if i == index { 1.0 } else { 0.0 });
    let x = indices(INPUT).into_iter().flat_map(one_hot).collect();
    // x.shape == (1, 6, 5), y.shape == (1, 6)
    let series = Series::new("tomato", 5, x)?.with_classes(indices(TARGET));
    let names = || CHARACTERS.map(String::from).to_vec();
    Dataset::new(names(), Targets::Classes(names()), vec![series])
}

/// Trains a network on the lesson and asks it.
///
/// # Errors
/// If the network does not take and give five numbers, or the loss stops being finite.
pub fn learn(network: Network) -> Result<Learnt, Box<dyn Error>> {
    let data = data()?;
    // model.compile(keras.optimizers.Adam(0.1), loss="sparse_categorical_crossentropy")
    // optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    // Neither clips gradients unless it is told to.
    let options = Options { learning_rate: 0.1, batch_size: 1, clip_norm: None, ..Options::default() };
    let mut trainer = Trainer::new(Model::new(network), &data, options)?;
    // model.fit(x, y, epochs=10): one sequence is one batch, so this is ten updates
    let mut losses = Vec::new();
    for _ in 0..10 {
        losses.push(trainer.epoch(&data, None, |_| {})?.loss);
    }
    // model.predict(x).argmax(axis=-1)                   PyTorch: model(x).argmax(-1)
    let outputs = predict(&trainer.model().network, &data)?.concat();
    let answer = outputs.chunks(5).map(|probabilities| CHARACTERS[argmax(probabilities)]).collect();
    Ok(Learnt { losses, answer })
}

/// Trains all three and prints what they learn.
fn main() -> Result<(), Box<dyn Error>> {
    let seed = match std::env::args().nth(1) {
        Some(seed) => seed.parse()?,
        None => SEED,
    };
    for description in [SIMPLE_RNN, LSTM, GRU] {
        println!("{description}");
        // keras.utils.set_random_seed(seed)              PyTorch: torch.manual_seed(seed)
        // model = keras.Sequential([keras.Input((None, 5)), …])
        let network = Network::describe(5, description)?.initialized(seed);
        let Learnt { losses, answer } = learn(network)?;
        for (epoch, loss) in (1..).zip(losses) {
            println!("epoch {epoch:2}: loss {loss:.4}");
        }
        let characters: Vec<_> = answer.chars().map(String::from).collect();
        println!("{}\n", characters.join(" "));
    }
    Ok(())
}
