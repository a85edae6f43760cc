//! Promise: the lessons among the examples do what they say, and a network learns here what it learns in Keras.

#[path = "../examples/from_scratch.rs"]
mod from_scratch;
#[path = "../examples/states.rs"]
mod states;
#[cfg(feature = "std")]
#[path = "../examples/tomato.rs"]
#[allow(dead_code, reason = "its main reads the command line")]
mod tomato;

#[test]
fn plain_loops_agree_with_the_cell() {
    from_scratch::main();
}

#[test]
fn sequences_and_states_are_as_in_keras() {
    states::main();
}

#[cfg(feature = "std")]
mod learning {
    use super::tomato::{GRU, LSTM, SEED, SIMPLE_RNN, TARGET, learn};
    use gatelet::network::Network;

    fn network(description: &str) -> Network {
        Network::describe(5, description).unwrap()
    }

    #[test]
    fn the_example_answers_right() {
        for description in [SIMPLE_RNN, LSTM, GRU] {
            let learnt = learn(network(description).initialized(SEED)).unwrap();
            assert_eq!(learnt.answer, TARGET, "{description}");
        }
    }

    /// From Keras 3.15.1 on JAX 0.10.2, for SimpleRNN (without the dense layer of 32) and LSTM:
    ///
    /// ```python
    /// model = keras.Sequential([keras.Input((6, 5)), LSTM(5, return_sequences=True),
    ///                           Dense(32, activation="relu"), Dense(5, activation="softmax")])
    /// kernel, recurrent_kernel, *rest = model.get_weights()
    /// start, weights = 1, []
    /// for w in [recurrent_kernel, kernel, *rest]:
    ///     weights.append((np.arange(start, start + w.size) * 0.6180339887498949 % 1 * 2 - 1).reshape(w.shape))
    ///     start += w.size
    /// weights[:2] = weights[1::-1]
    /// model.set_weights(weights)
    /// model.compile(keras.optimizers.Adam(0.1), loss="sparse_categorical_crossentropy")
    /// x = keras.utils.to_categorical([0, 0, 1, 2, 4, 3], 5)[None]
    /// print(model.fit(x, np.array([[0, 1, 0, 2, 3, 4]]), epochs=10).history["loss"])
    /// ```
    ///
    /// A GRU cannot be compared so: Keras trains two biases for each gate, of which this trainer keeps the sum.
    const LOSSES: [(&str, [f64; 10]); 2] = [
        (
            SIMPLE_RNN,
            [
                1.9333067, 1.3632047, 0.9801943, 0.6936934, 0.5080464, 0.3746688, 0.2703812, 0.1965252, 0.1478199,
                0.1135352,
            ],
        ),
        (
            LSTM,
            [
                1.8436055, 1.5816257, 1.0722440, 0.9999710, 0.6760921, 0.4258037, 0.2958774, 0.1875985, 0.1851408,
                0.1516314,
            ],
        ),
    ];

    #[test]
    fn the_same_initial_weights_give_the_losses_of_keras() {
        for (description, expected) in LOSSES {
            let mut network = network(description);
            for (i, parameter) in (1..).zip(network.parameters_mut()) {
                *parameter = ((f64::from(i) * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0) as f32;
            }
            let learnt = learn(network).unwrap();
            for (epoch, (ours, keras)) in (1..).zip(learnt.losses.iter().zip(expected)) {
                assert!((ours - keras).abs() < 1e-4, "{description}, epoch {epoch}: {ours}, in Keras {keras}");
            }
            assert_eq!(learnt.answer, TARGET, "{description}");
        }
    }

    #[test]
    fn random_initial_weights_are_as_good_as_those_of_keras() {
        // How many of the seeds 1 to 200 answer right in the same Keras, with its own initial weights.
        for (description, keras) in [(SIMPLE_RNN, 181.0_f64), (LSTM, 127.0), (GRU, 163.0)] {
            let right = |&seed: &u64| learn(network(description).initialized(seed)).unwrap().answer == TARGET;
            let ours = (1..=200).filter(right).count() as f64;
            // Two standard errors of the difference of two such counts.
            let chance = 2.0 * (2.0 * keras * (1.0 - keras / 200.0)).sqrt();
            println!("{description}: {ours} of 200, in Keras {keras}, chance {chance:.0}");
            assert!(ours > keras - chance, "{description}: {ours} of 200 answer right, in Keras {keras}");
        }
    }
}
