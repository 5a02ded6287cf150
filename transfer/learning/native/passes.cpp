// The passes of a training step on a CPU for which torch needs several operations, each a way to memory and back.
//
// All is fp32 and row-major; passes.py says what each function computes, with shapes. Products that are large stay
// torch's; here are those within attention, of a few dozen rows. What is written is written by one thread alone, and
// sums over threads are added up in their order, so numbers depend on nothing but the number of threads.

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

// As many as a register of AVX-512 holds; where registers are smaller the compiler takes several.
constexpr int64_t LANES = 16;
typedef float Vec __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t Ints __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint16_t Shorts __attribute__((vector_size(LANES * sizeof(uint16_t))));

// Below so many elements a second thread costs more than it saves.
constexpr int64_t ALONE = 16384;

inline Vec load(const float* at) {
  Vec x;
  std::memcpy(&x, at, sizeof x);
  return x;
}

inline void store(float* at, Vec x) { std::memcpy(at, &x, sizeof x); }

inline Vec all(float x) { return x - Vec{}; }

inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// x folded in halves by ``fold`` until one number is left
template <typename Fold>
inline float folded(Vec x, Fold fold) {
  typedef float Eight __attribute__((vector_size(8 * sizeof(float))));
  typedef float Four __attribute__((vector_size(4 * sizeof(float))));
  Eight eights[2];
  std::memcpy(eights, &x, sizeof eights);
  const Eight eight = fold(eights[0], eights[1]);
  Four fours[2];
  std::memcpy(fours, &eight, sizeof fours);
  const Four four = fold(fours[0], fours[1]);
  return fold(fold(four[0], four[2]), fold(four[1], four[3]));
}

inline float sum(Vec x) {
  return folded(x, [](auto a, auto b) { return a + b; });
}

inline float largest(Vec x) {
  return folded(x, [](auto a, auto b) { return a > b ? a : b; });
}

// n, made up to whole lanes
inline int64_t whole(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

// e^x for x <= 0, to 2 units in the last place; 0 below -87. Polynomial of Cephes' expf (Moshier 1992).
inline Vec exponential(Vec x) {
  const Vec rounding = all(12582912.f);  // 1.5 * 2^23: added, it leaves whole numbers
  const Vec n = (x * 1.44269504088896341f + rounding) - rounding;
  const Vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  const Ints power = (__builtin_convertvector(n, Ints) + 127) << 23;
  Vec scale;
  std::memcpy(&scale, &power, sizeof scale);
  return x < all(-87.f) ? Vec{} : p * scale;
}

// GELU and its derivative; erf by Abramowitz and Stegun 7.1.26, to 1.5e-7.
struct Activated {
  Vec y, slope;
  explicit Activated(Vec x) {
    const Vec size = x < 0.f ? -x : x, bell = exponential(x * x * -0.5f);
    const Vec t = 1.f / (1.f + size * (0.3275911f * 0.707106781f));
    // what the normal distribution has beyond |x|, and below x
    const Vec beyond =
        0.5f * bell * t *
        (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    const Vec below = x < 0.f ? beyond : 1.f - beyond;
    y = x * below;
    slope = below + x * bell * 0.398942280f;
  }
};

// ------------------------------------------------------------------------------------------ small products

// c [ROWS, COLUMNS * LANES] = a b; a(i, k) stands at i * down + k * across, all sums in registers
template <int ROWS, int COLUMNS>
inline void block(int64_t depth, const float* a, int64_t down, int64_t across, const float* b, int64_t b_stride,
                  float* c, int64_t c_stride) {
  Vec sums[ROWS][COLUMNS] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vec right[COLUMNS];
    for (int j = 0; j < COLUMNS; ++j) right[j] = load(b + k * b_stride + j * LANES);
    for (int i = 0; i < ROWS; ++i)
      for (int j = 0; j < COLUMNS; ++j) sums[i][j] += a[i * down + k * across] * right[j];
  }
  for (int i = 0; i < ROWS; ++i)
    for (int j = 0; j < COLUMNS; ++j) store(c + i * c_stride + j * LANES, sums[i][j]);
}

template <int COLUMNS>
inline void strip(int64_t rows, int64_t depth, const float* a, int64_t down, int64_t across, const float* b,
                  int64_t b_stride, float* c, int64_t c_stride) {
  int64_t i = 0;
  for (; i + 8 <= rows; i += 8)
    block<8, COLUMNS>(depth, a + i * down, down, across, b, b_stride, c + i * c_stride, c_stride);
  for (; i + 4 <= rows; i += 4)
    block<4, COLUMNS>(depth, a + i * down, down, across, b, b_stride, c + i * c_stride, c_stride);
  for (; i < rows; ++i)
    block<1, COLUMNS>(depth, a + i * down, down, across, b, b_stride, c + i * c_stride, c_stride);
}

// c [rows, columns] = a [rows, depth] b [depth, columns]; columns are whole lanes, b and c have no gaps
inline void product(int64_t rows, int64_t columns, int64_t depth, const float* a, int64_t down, int64_t across,
                    const float* b, float* c) {
  int64_t j = 0;
  for (; j + 2 * LANES <= columns; j += 2 * LANES)
    strip<2>(rows, depth, a, down, across, b + j, columns, c + j, columns);
  if (j < columns) strip<1>(rows, depth, a, down, across, b + j, columns, c + j, columns);
}

// to [rows, whole(columns)] = from + bias, zeros behind
inline void gather(const float* from, int64_t stride, const float* bias, int64_t rows, int64_t columns, float* to) {
  const int64_t wide = whole(columns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[i * wide + j] = from[i * stride + j] + bias[j];
    for (int64_t j = columns; j < wide; ++j) to[i * wide + j] = 0;
  }
}

// to [columns, whole(rows)]: the same turned
inline void gather_turned(const float* from, int64_t stride, const float* bias, int64_t rows, int64_t columns,
                          float* to) {
  const int64_t wide = whole(rows);
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t i = 0; i < rows; ++i) to[j * wide + i] = from[i * stride + j] + bias[j];
    for (int64_t i = rows; i < wide; ++i) to[j * wide + i] = 0;
  }
}

inline void scatter(const float* from, int64_t rows, int64_t columns, float* to, int64_t stride) {
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(to + i * stride, from + i * whole(columns), columns * sizeof(float));
}

// Asks for rows that several heads will read in pieces, one behind the other as memory likes it.
inline void prefetch(const float* from, int64_t floats) {
  for (int64_t i = 0; i < floats; i += LANES) __builtin_prefetch(from + i, 0, 2);
}

// One thread's memory, handed out piece by piece.
class Scratch {
 public:
  explicit Scratch(int64_t floats) : memory_(new float[floats]), next_(memory_.get()) {}
  float* take(int64_t floats) {
    float* const at = next_;
    next_ += floats;
    return at;
  }

 private:
  std::unique_ptr<float[]> memory_;
  float* next_;
};

// A head's query, key and value of one sequence, within rows of all three and all heads.
struct Head {
  const float *query, *key, *value;
  Head(const float* rows, int64_t heads, int64_t width, int64_t head)
      : query(rows + head * width), key(query + heads * width), value(key + heads * width) {}
};

}  // namespace

extern "C" {

// ----------------------------------------------------------------------------------------------- attention

void attend(const float* rows, const float* bias, const uint16_t* bits, const int32_t* bounds, const int64_t* drawn_at,
            const int32_t* sides, const int64_t* kept_at, float* out, float* weights, int64_t sequences, int64_t heads,
            int64_t width, int64_t longest, int64_t drawn, float scale, int32_t threshold, float kept,
            int32_t threads) {
  const int64_t part = heads * width, stride = 3 * part, wide = whole(width), most = whole(longest);
#pragma omp parallel num_threads(threads)
  {
    Scratch scratch(most * (2 * wide + width + most));
    float* const turned = scratch.take(width * most);
    float* const values = scratch.take(most * wide);
    float* const mixed = scratch.take(most * wide);
    float* const scores = scratch.take(most * most);
#pragma omp for schedule(dynamic, 1)
    for (int64_t s = sequences - 1; s >= 0; --s) {  // the longest come last, and are begun first
      const int64_t start = bounds[s], length = bounds[s + 1] - start, across = whole(length), side = sides[s];
      prefetch(rows + start * stride, length * stride);
      for (int64_t h = 0; h < heads; ++h) {
        const Head of(rows + start * stride, heads, width, h), biases(bias, heads, width, h);
        gather(of.query, stride, biases.query, length, width, mixed);
        gather_turned(of.key, stride, biases.key, length, width, turned);
        gather(of.value, stride, biases.value, length, width, values);
        product(length, across, width, mixed, wide, 1, turned, scores);
        for (int64_t i = 0; i < length; ++i) {
          float* const row = scores + i * across;
          for (int64_t j = length; j < across; ++j) row[j] = -INFINITY;
          Vec top = all(row[0]);
          for (int64_t j = 0; j < across; j += LANES) top = larger(top, load(row + j));
          const float highest = largest(top);
          Vec sums{};
          for (int64_t j = 0; j < across; j += LANES) {
            const Vec x = exponential((load(row + j) - highest) * scale);
            store(row + j, x);
            sums += x;
          }
          const float share = 1 / sum(sums);
          float* const keep = weights == nullptr ? nullptr : weights + kept_at[s] + (h * length + i) * across;
          const int64_t first = bits == nullptr ? 0 : drawn_at[s] + (h * side + i) * side;
          for (int64_t j = 0; j < across; j += LANES) {
            Vec x = load(row + j) * share;
            Ints stays = {};
            stays = ~stays;
            if (bits != nullptr) {
              Shorts some{};
              if (first + j + LANES <= drawn)
                std::memcpy(&some, bits + first + j, sizeof some);
              else  // of the very last row
                std::memcpy(&some, bits + first + j, (drawn - first - j) * sizeof(uint16_t));
              stays = __builtin_convertvector(some, Ints) >= threshold;
            }
            // a weight that is dropped keeps its size for the way back, and says so by its sign
            if (keep != nullptr) store(keep + j, stays ? x : -x);
            store(row + j, stays ? x * kept : Vec{});
          }
        }
        product(length, wide, length, scores, across, 1, values, mixed);
        scatter(mixed, length, width, out + start * part + h * width, part);
      }
    }
  }
}

void attend_back(const float* grad, float* rows, const float* bias, const float* weights, const int32_t* bounds,
                 const int64_t* kept_at, int64_t sequences, int64_t heads, int64_t width,
                 int64_t longest, float scale, float kept, int32_t threads) {
  const int64_t part = heads * width, stride = 3 * part, wide = whole(width), most = whole(longest);
  const std::vector<float> nothing(width, 0.f);
#pragma omp parallel num_threads(threads)
  {
    Scratch scratch(most * (3 * wide + width + 2 * most));
    float* const turned = scratch.take(width * most);
    float* const right = scratch.take(most * wide);
    float* const keys = scratch.take(most * wide);
    float* const result = scratch.take(most * wide);
    float* const dropped = scratch.take(most * most);
    float* const back = scratch.take(most * most);
#pragma omp for schedule(dynamic, 1)
    for (int64_t s = sequences - 1; s >= 0; --s) {
      const int64_t start = bounds[s], length = bounds[s + 1] - start, across = whole(length);
      prefetch(grad + start * part, length * part);
      prefetch(rows + start * stride, length * stride);
      prefetch(weights + kept_at[s], heads * length * across);
      for (int64_t h = 0; h < heads; ++h) {
        const Head of(rows + start * stride, heads, width, h), biases(bias, heads, width, h);
        const float* const out = grad + start * part + h * width;
        const float* const own = weights + kept_at[s] + h * length * across;
        gather_turned(of.value, stride, biases.value, length, width, turned);
        gather(out, part, nothing.data(), length, width, right);
        product(length, across, width, right, wide, 1, turned, back);
        for (int64_t i = 0; i < length; ++i) {
          const float* const weight = own + i * across;
          float *const row = back + i * across, *const drop = dropped + i * across;
          Vec sums{};
          for (int64_t j = 0; j < across; j += LANES) {
            const Vec x = load(weight + j), d = x > 0.f ? x * kept : Vec{};
            store(drop + j, d);
            sums += d * load(row + j);
          }
          const float sent = sum(sums);
          for (int64_t j = 0; j < across; j += LANES) {
            const Vec x = load(weight + j), size = x < 0.f ? -x : x;
            store(row + j, (load(row + j) * load(drop + j) - sent * size) * scale);
          }
        }
        // what a head's rows were is in memory of this thread before their gradients take their place
        float* const to = rows + start * stride + h * width;
        product(length, wide, length, dropped, 1, across, right, result);
        scatter(result, length, width, to + 2 * part, stride);
        gather(of.query, stride, biases.query, length, width, right);
        gather(of.key, stride, biases.key, length, width, keys);
        product(length, wide, length, back, 1, across, right, result);
        scatter(result, length, width, to + part, stride);
        product(length, wide, length, back, across, 1, keys, result);
        scatter(result, length, width, to, stride);
      }
    }
  }
}

// ------------------------------------------------------------------------- what stands behind large products

void gelu(float* x, const float* bias, float* out, int64_t rows, int64_t width, int32_t threads) {
#pragma omp parallel for num_threads(threads) if (rows * width > ALONE)
  for (int64_t i = 0; i < rows; ++i) {
    float *const at = x + i * width, *const to = out + i * width;
    int64_t j = 0;
    for (; j + LANES <= width; j += LANES) {
      const Activated found(load(at + j) + load(bias + j));
      store(at + j, found.slope);
      store(to + j, found.y);
    }
    for (; j < width; ++j) {
      const Activated found(all(at[j] + bias[j]));
      at[j] = found.slope[0];
      to[j] = found.y[0];
    }
  }
}

void gelu_back(const float* grad, float* slope, float* sums, int64_t rows, int64_t width, int32_t threads) {
#pragma omp parallel num_threads(threads) if (rows * width > ALONE)
  {
    float* const own = sums + omp_get_thread_num() * width;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < rows; ++i) {
      const float* const g = grad + i * width;
      float* const x = slope + i * width;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) own[j] += x[j] *= g[j];
    }
  }
}

void add_and_norm(float* x, const float* bias, const uint16_t* bits, const float* residual, const float* weight,
                  const float* shift, float* spread, float* out, int64_t rows, int64_t width, int32_t threshold,
                  float kept, float eps, int32_t threads) {
#pragma omp parallel for num_threads(threads) schedule(static) if (rows * width > ALONE)
  for (int64_t i = 0; i < rows; ++i) {
    const float* const r = residual + i * width;
    float *const n = x + i * width, *const o = out + i * width;
    float total = 0, squares = 0;
    if (bits == nullptr) {
#pragma omp simd reduction(+ : total)
      for (int64_t j = 0; j < width; ++j) total += n[j] = r[j] + (n[j] + bias[j]);
    } else {
      const uint16_t* const b = bits + i * width;
#pragma omp simd reduction(+ : total)
      for (int64_t j = 0; j < width; ++j) total += n[j] = r[j] + (b[j] >= threshold ? (n[j] + bias[j]) * kept : 0.f);
    }
    const float mean = total / width;
#pragma omp simd reduction(+ : squares)
    for (int64_t j = 0; j < width; ++j) squares += (n[j] - mean) * (n[j] - mean);
    const float by = 1 / std::sqrt(squares / width + eps);
    spread[i] = by;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) {
      n[j] = (n[j] - mean) * by;
      o[j] = n[j] * weight[j] + shift[j];
    }
  }
}

void add_and_norm_back(const float* grad, float* normed, const float* spread, const float* weight,
                       const uint16_t* bits, float* of_x, float* sums, int64_t rows, int64_t width, int32_t threshold,
                       float kept, int32_t threads) {
#pragma omp parallel num_threads(threads) if (rows * width > ALONE)
  {
    float* const of_bias = sums + omp_get_thread_num() * 3 * width;
    float *const of_weight = of_bias + width, *const of_shift = of_weight + width;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < rows; ++i) {
      const float* const g = grad + i * width;
      const uint16_t* const b = bits == nullptr ? nullptr : bits + i * width;
      float *const n = normed + i * width, *const x = of_x + i * width;
      float total = 0, along = 0;
#pragma omp simd reduction(+ : total, along)
      for (int64_t j = 0; j < width; ++j) {
        total += g[j] * weight[j];
        along += g[j] * weight[j] * n[j];
        of_weight[j] += g[j] * n[j];
        of_shift[j] += g[j];
      }
      total /= width;
      along /= width;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) n[j] = (g[j] * weight[j] - total - n[j] * along) * spread[i];
      if (b == nullptr)
        std::memcpy(x, n, width * sizeof(float));
      else
#pragma omp simd
        for (int64_t j = 0; j < width; ++j) x[j] = b[j] >= threshold ? n[j] * kept : 0.f;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) of_bias[j] += x[j];
    }
  }
}

// ----------------------------------------------------------------------------------------------- optimizer

void adamax(float* weight, const float* grad, float* mean, float* maximum, int64_t count, float shrink, float beta1,
            float beta2, float eps, float keep, float rate, int32_t threads) {
#pragma omp parallel for simd num_threads(threads) schedule(static) if (parallel : count > ALONE)
  for (int64_t i = 0; i < count; ++i) {
    const float g = grad[i] * shrink, before = maximum[i] * beta2, size = std::fabs(g) + eps;
    mean[i] += (g - mean[i]) * (1 - beta1);
    maximum[i] = size > before ? size : before;
    weight[i] = weight[i] * keep - rate * (mean[i] / maximum[i]);
  }
}

double sum_of_squares(const float* x, int64_t count, int32_t threads) {
  constexpr int64_t part = 4096;
  std::vector<double> found((count + part - 1) / part);
#pragma omp parallel for num_threads(threads) schedule(static) if (count > ALONE)
  for (int64_t p = 0; p < static_cast<int64_t>(found.size()); ++p) {
    float some = 0;
#pragma omp simd reduction(+ : some)
    for (int64_t i = p * part; i < std::min(count, (p + 1) * part); ++i) some += x[i] * x[i];
    found[p] = some;
  }
  double total = 0;
  for (const double some : found) total += some;
  return total;
}

}  // extern "C"
