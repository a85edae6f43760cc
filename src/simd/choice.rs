//! Which backend a step runs on.

use super::{Scalar, Visitor};

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
use super::neon::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::simd128::Simd128;
#[cfg(target_arch = "x86_64")]
use super::{Backend, avx2::Avx2, avx512::Avx512};

/// A backend, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackendKind {
    /// Plain arithmetic, on every target.
    Scalar,
    /// AVX2 and FMA on x86-64.
    Avx2,
    /// AVX-512 F, VL, DQ and BW on x86-64.
    Avx512,
    /// NEON on aarch64.
    Neon,
    /// 128-bit vectors on wasm32.
    Simd128,
}

impl BackendKind {
    /// Every kind, the best ones last.
    pub const ALL: [BackendKind; 5] =
        [BackendKind::Scalar, BackendKind::Simd128, BackendKind::Neon, BackendKind::Avx2, BackendKind::Avx512];

    /// Its name in `GATELET_BACKEND`: `scalar`, `avx2`, `avx512`, `neon`, `simd128`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            BackendKind::Scalar => "scalar",
            BackendKind::Avx2 => "avx2",
            BackendKind::Avx512 => "avx512",
            BackendKind::Neon => "neon",
            BackendKind::Simd128 => "simd128",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether this machine has it.
    ///
    /// ```
    /// use gatelet::simd::BackendKind;
    /// assert!(BackendKind::Scalar.is_available());
    /// ```
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            BackendKind::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            BackendKind::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            BackendKind::Avx512 => Avx512::detect().is_some(),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            BackendKind::Neon => true,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            BackendKind::Simd128 => true,
            #[allow(unreachable_patterns, reason = "the kinds of other targets")]
            _ => false,
        }
    }

    /// The best one that this machine has.
    #[must_use]
    pub fn best() -> Self {
        let mut best = BackendKind::Scalar;
        for kind in Self::ALL {
            if kind.is_available() {
                best = kind;
            }
        }
        best
    }

    /// The one that a step runs on now.
    #[must_use]
    pub fn current() -> Self {
        current::get()
    }
}

impl core::fmt::Display for BackendKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// A backend that this machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable(pub BackendKind);

impl core::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "this machine has no backend `{}`; it has", self.0)?;
        for kind in BackendKind::ALL.into_iter().filter(|kind| kind.is_available()) {
            write!(f, " `{kind}`")?;
        }
        Ok(())
    }
}

impl core::error::Error for Unavailable {}

/// From now on every step of this program runs on `kind`; `None` takes the best one again.
///
/// # Errors
/// If this machine does not have it; nothing has changed then.
///
/// ```
/// use gatelet::simd::{BackendKind, force};
/// force(Some(BackendKind::Scalar)).unwrap();
/// assert_eq!(BackendKind::current(), BackendKind::Scalar);
/// ```
pub fn force(kind: Option<BackendKind>) -> Result<(), Unavailable> {
    let kind = kind.unwrap_or_else(BackendKind::best);
    if !kind.is_available() {
        return Err(Unavailable(kind));
    }
    current::set(kind);
    Ok(())
}

/// What the environment variable `GATELET_BACKEND` names; `None` where it is not set, or empty.
///
/// # Errors
/// If it is no backend's name, or one that this machine does not have: a sentence that lists those that it has.
#[cfg(feature = "std")]
pub fn from_environment() -> Result<Option<BackendKind>, String> {
    let Some(name) = std::env::var_os("GATELET_BACKEND").filter(|name| !name.is_empty()) else { return Ok(None) };
    let name = name.to_string_lossy();
    let kind = BackendKind::from_name(&name).ok_or_else(|| {
        let names: Vec<_> =
            BackendKind::ALL.iter().filter(|kind| kind.is_available()).map(|kind| kind.name()).collect();
        format!("GATELET_BACKEND is `{name}`, which is no backend; this machine has {}", names.join(", "))
    })?;
    if kind.is_available() { Ok(Some(kind)) } else { Err(format!("GATELET_BACKEND: {}", Unavailable(kind))) }
}

/// Where there is a choice: a number that tells it, found out in the first step.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod current {
    use super::BackendKind;
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const UNKNOWN: u8 = u8::MAX;
    static CURRENT: AtomicU8 = AtomicU8::new(UNKNOWN);

    #[inline(always)]
    pub(super) fn get() -> BackendKind {
        match CURRENT.load(Relaxed) {
            current if current == BackendKind::Avx512 as u8 => BackendKind::Avx512,
            current if current == BackendKind::Avx2 as u8 => BackendKind::Avx2,
            current if current == BackendKind::Neon as u8 => BackendKind::Neon,
            current if current == BackendKind::Simd128 as u8 => BackendKind::Simd128,
            current if current == BackendKind::Scalar as u8 => BackendKind::Scalar,
            _ => choose(),
        }
    }

    /// `kind` is available.
    pub(super) fn set(kind: BackendKind) {
        CURRENT.store(kind as u8, Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn choose() -> BackendKind {
        #[cfg(feature = "std")]
        let kind = super::from_environment()
            .unwrap_or_else(|complaint| {
                eprintln!("{complaint}; going on with `{}`", BackendKind::best());
                None
            })
            .unwrap_or_else(BackendKind::best);
        #[cfg(not(feature = "std"))]
        let kind = BackendKind::best();
        // What another thread has forced meanwhile stays.
        let _ = CURRENT.compare_exchange(UNKNOWN, kind as u8, Relaxed, Relaxed);
        get()
    }
}

/// Where there is none.
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
mod current {
    use super::BackendKind;

    #[inline(always)]
    pub(super) fn get() -> BackendKind {
        BackendKind::Scalar
    }

    pub(super) fn set(_: BackendKind) {}
}

/// Runs `visitor` with the best backend of this machine, or the one that is [forced](force).
#[inline(always)]
pub fn dispatch<V: Visitor>(visitor: V) -> V::Out {
    // SAFETY: what is current is available.
    unsafe { enter(current::get(), visitor) }
}

/// Runs `visitor` with the backend `kind`.
///
/// # Errors
/// If this machine does not have it.
#[inline]
pub fn dispatch_on<V: Visitor>(kind: BackendKind, visitor: V) -> Result<V::Out, Unavailable> {
    if !kind.is_available() {
        return Err(Unavailable(kind));
    }
    // SAFETY: it is available.
    Ok(unsafe { enter(kind, visitor) })
}

/// # Safety
/// `kind` is available.
#[inline(always)]
unsafe fn enter<V: Visitor>(kind: BackendKind, visitor: V) -> V::Out {
    match kind {
        // SAFETY: it is available.
        #[cfg(target_arch = "x86_64")]
        BackendKind::Avx512 => unsafe { Avx512::known() }.apart(visitor),
        // SAFETY: it is available.
        #[cfg(target_arch = "x86_64")]
        BackendKind::Avx2 => unsafe { Avx2::known() }.apart(visitor),
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        BackendKind::Neon => visitor.visit(Neon::new()),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        BackendKind::Simd128 => visitor.visit(super::Wide(Simd128::new())),
        _ => visitor.visit(Scalar::new()),
    }
}

/// Runs `visitor` on the scalar backend, in the widest registers that give the same bits: for results that are not to depend
/// on the machine.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) fn dispatch_scalar<V: Visitor>(visitor: V) -> V::Out {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        return avx2.enter_scalar(visitor);
    }
    visitor.visit(Scalar::new())
}
