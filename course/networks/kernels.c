/* Batch normalization of R replicas, with the ReLU behind it.

   torch makes of these four operations forward and three backward, each of which reads and writes
   all signals. Here one replica after another is normalized while it lies in the nearest memory of
   the processor, eight units at a time. All numbers are float32.

   What a kernel is given was checked by kernels.py, which also says when kernels are used. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 8  /* units in a vector; a replica must have as many at least */
#define GROUP 4  /* vectors that are treated together: their sums stay in registers */
#define ROWS 128 /* examples that are added up by themselves: long sums round more */

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Mask __attribute__((vector_size(4 * LANES)));

static inline Vector load(const float *from) {
  Vector vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}

static inline void store(float *to, Vector vector) { memcpy(to, &vector, sizeof vector); }

/* Zero where `out` is true. NaN is neither above 0 nor below: with it no comparison is true. */
static inline Vector without(Mask out, Vector vector) { return (Vector)((Mask)vector & ~out); }

/* A loop over groups of vectors: `at[v]` is the first unit of vector v. The last ones of a replica
   begin earlier rather than to end behind it: some units are computed twice, to the same. */
#define EACH_GROUP(width)                                                                          \
  for (long group = 0, at[GROUP]; starts(at, group, width); group += GROUP * LANES)
#define EACH_VECTOR for (int v = 0; v < GROUP; v++)

static inline int starts(long *at, long group, long width) {
  EACH_VECTOR {
    long here = group + v * LANES;
    at[v] = here < width - LANES ? here : width - LANES;
  }
  return group < width;
}

typedef struct { /* a tensor (R, rows, width); what comes next in a row comes next in memory */
  float *data;
  long replica, row; /* how far apart two of them are */
} Signal;

#define AT(signal, i) ((signal).data + (i) * (signal).row + at[v])

/* mean = sum(x) / batch,  variance = sum((x - mean)^2) / batch,  inverse = 1 / sqrt(variance + eps)
   y = scale (x - mean) inverse + shift;  with relu: max(y, 0)
   running = (1 - momentum) running + momentum batch's, of the variance sum(...) / (batch - 1)
   Ioffe and Szegedy, "Batch normalization" (2015), algorithm 1 */
static void forward(Signal x, Signal y, long batch, long width, const float *scale,
                    const float *shift, float *mean, float *inverse, float *running_mean,
                    float *running_variance, float momentum, float eps, int relu) {
  EACH_GROUP(width) {
    Vector centre[GROUP] = {0}, variance[GROUP] = {0};
    for (long start = 0; start < batch; start += ROWS) {
      Vector sum[GROUP] = {0};
      for (long i = start; i < batch && i < start + ROWS; i++) EACH_VECTOR sum[v] += load(AT(x, i));
      EACH_VECTOR centre[v] += sum[v] / (float)batch;
    }
    for (long start = 0; start < batch; start += ROWS) {
      Vector sum[GROUP] = {0};
      for (long i = start; i < batch && i < start + ROWS; i++) EACH_VECTOR {
          Vector apart = load(AT(x, i)) - centre[v];
          sum[v] += apart * apart;
        }
      EACH_VECTOR variance[v] += sum[v] / (float)batch;
    }
    EACH_VECTOR {
      store(mean + at[v], centre[v]);
      store(inverse + at[v], variance[v]);
    }
  }
  for (long j = 0; j < width; j++) {
    float unbiased = inverse[j] * batch / (batch - 1);
    running_mean[j] = (1 - momentum) * running_mean[j] + momentum * mean[j];
    running_variance[j] = (1 - momentum) * running_variance[j] + momentum * unbiased;
    inverse[j] = 1 / sqrtf(inverse[j] + eps);
  }
  Mask cut = (Mask){0} - relu; /* all bits or none */
  EACH_GROUP(width) {
    Vector slope[GROUP], start[GROUP];
    EACH_VECTOR {
      slope[v] = load(scale + at[v]) * load(inverse + at[v]);
      start[v] = load(shift + at[v]) - load(mean + at[v]) * slope[v];
    }
    for (long i = 0; i < batch; i++) EACH_VECTOR {
        Vector value = load(AT(x, i)) * slope[v] + start[v];
        store(AT(y, i), without((value < 0) & cut, value));
      }
  }
}

/* dy: the slope at y, which counts as 0 where relu made y 0.  u = (x - mean) inverse
   dscale = sum(dy u),  dshift = sum(dy),
   dx = scale inverse (dy - dshift / batch - u dscale / batch)
   the same paper, section 3, the six equations of the chain rule */
static void backward(Signal dy, Signal y, Signal x, Signal dx, long batch, long width,
                     const float *scale, const float *mean, const float *inverse, float *dscale,
                     float *dshift, int relu) {
  Mask cut = (Mask){0} - relu;
  EACH_GROUP(width) {
    Vector centre[GROUP], plain[GROUP] = {0}, times[GROUP] = {0};
    EACH_VECTOR centre[v] = load(mean + at[v]);
    for (long start = 0; start < batch; start += ROWS) {
      Vector sum[GROUP] = {0}, product[GROUP] = {0};
      for (long i = start; i < batch && i < start + ROWS; i++) EACH_VECTOR {
          Vector here = without((load(AT(y, i)) <= 0) & cut, load(AT(dy, i)));
          sum[v] += here;
          product[v] += here * (load(AT(x, i)) - centre[v]);
        }
      EACH_VECTOR {
        plain[v] += sum[v];
        times[v] += product[v];
      }
    }
    Vector slope[GROUP];
    EACH_VECTOR {
      Vector by = load(inverse + at[v]);
      times[v] *= by;
      store(dscale + at[v], times[v]);
      store(dshift + at[v], plain[v]);
      slope[v] = load(scale + at[v]) * by;
      times[v] *= by / (float)batch;
      plain[v] /= (float)batch;
    }
    for (long i = 0; i < batch; i++) EACH_VECTOR {
        Vector here = without((load(AT(y, i)) <= 0) & cut, load(AT(dy, i)));
        here = slope[v] * (here - plain[v] - (load(AT(x, i)) - centre[v]) * times[v]);
        store(AT(dx, i), here);
      }
  }
}

/* What follows hands torch's tensors to these two, and the two to torch, by its stable interface
   for C (torch/csrc/inductor/aoti_torch/c/shim.h): a kernel finds its arguments on a stack, 8 bytes
   each, and leaves its results there. A tensor is a handle, of which the kernel is the owner. */

typedef void *Handle;
extern int aoti_torch_get_data_ptr(Handle, void **);
extern int aoti_torch_get_size(Handle, int64_t, int64_t *);
extern int aoti_torch_get_stride(Handle, int64_t, int64_t *);
extern int aoti_torch_delete_tensor_object(Handle);
extern int aoti_torch_library_init_fragment(const char *, const char *, uint32_t, Handle *);
extern int aoti_torch_library_init_impl(const char *, const char *, const char *, uint32_t,
                                        Handle *);
extern int aoti_torch_library_def(Handle, const char *);
extern int aoti_torch_library_impl(Handle, const char *, void (*)(uint64_t *, uint64_t, uint64_t));

static int64_t size(uint64_t tensor, int dimension) {
  int64_t size;
  aoti_torch_get_size((Handle)tensor, dimension, &size);
  return size;
}

static Signal signal(uint64_t tensor) {
  void *data;
  int64_t replica, row;
  aoti_torch_get_data_ptr((Handle)tensor, &data);
  aoti_torch_get_stride((Handle)tensor, 0, &replica);
  aoti_torch_get_stride((Handle)tensor, 1, &row);
  return (Signal){data, replica, row};
}

static float number(uint64_t bits) {
  double number;
  memcpy(&number, &bits, sizeof number);
  return (float)number;
}

/* The first arguments are tensors to read, then come numbers, then the tensors of the results:
   those are all that is left on the stack. */
static void leave(uint64_t *stack, uint64_t read, uint64_t arguments, uint64_t results) {
  for (uint64_t i = 0; i < read; i++) aoti_torch_delete_tensor_object((Handle)stack[i]);
  memmove(stack, stack + arguments - results, results * sizeof *stack);
}

/* The tensor from replica r on. */
static Signal from(Signal signal, int64_t r) {
  signal.data += r * signal.replica;
  return signal;
}

static float *row(Signal signal, int64_t r) { return from(signal, r).data; }

#define NORMALIZE                                                                                  \
  "normalize(Tensor x, Tensor scale, Tensor shift, Tensor(a!) running_mean, "                      \
  "Tensor(b!) running_variance, float momentum, float epsilon, bool relu, Tensor(c!) y, "          \
  "Tensor(d!) mean, Tensor(e!) inverse) -> (Tensor(c!), Tensor(d!), Tensor(e!))"

static void normalize(uint64_t *stack, uint64_t arguments, uint64_t results) {
  Signal x = signal(stack[0]), scale = signal(stack[1]), shift = signal(stack[2]);
  Signal running_mean = signal(stack[3]), running_variance = signal(stack[4]);
  Signal y = signal(stack[8]), mean = signal(stack[9]), inverse = signal(stack[10]);
  int64_t replicas = size(stack[0], 0), batch = size(stack[0], 1), width = size(stack[0], 2);
  for (int64_t r = 0; r < replicas; r++)
    forward(from(x, r), from(y, r), batch, width, row(scale, r), row(shift, r), row(mean, r),
            row(inverse, r), row(running_mean, r), row(running_variance, r), number(stack[5]),
            number(stack[6]), stack[7] & 1);
  leave(stack, 5, arguments, results);
}

#define NORMALIZE_BACKWARD                                                                         \
  "normalize_backward(Tensor dy, Tensor y, Tensor x, Tensor scale, Tensor mean, Tensor inverse, "  \
  "bool relu, Tensor(a!) dx, Tensor(b!) dscale, Tensor(c!) dshift) "                               \
  "-> (Tensor(a!), Tensor(b!), Tensor(c!))"

static void normalize_backward(uint64_t *stack, uint64_t arguments, uint64_t results) {
  Signal dy = signal(stack[0]), y = signal(stack[1]), x = signal(stack[2]);
  Signal scale = signal(stack[3]), mean = signal(stack[4]), inverse = signal(stack[5]);
  Signal dx = signal(stack[7]), dscale = signal(stack[8]), dshift = signal(stack[9]);
  int64_t replicas = size(stack[0], 0), batch = size(stack[0], 1), width = size(stack[0], 2);
  for (int64_t r = 0; r < replicas; r++)
    backward(from(dy, r), from(y, r), from(x, r), from(dx, r), batch, width, row(scale, r),
             row(mean, r), row(inverse, r), row(dscale, r), row(dshift, r), stack[6] & 1);
  leave(stack, 6, arguments, results);
}

__attribute__((constructor)) static void tell_torch(void) {
  Handle schemas, kernels;
  aoti_torch_library_init_fragment("course", __FILE__, __LINE__, &schemas);
  aoti_torch_library_def(schemas, NORMALIZE);
  aoti_torch_library_def(schemas, NORMALIZE_BACKWARD);
  aoti_torch_library_init_impl("course", "CPU", __FILE__, __LINE__, &kernels);
  aoti_torch_library_impl(kernels, "normalize", normalize);
  aoti_torch_library_impl(kernels, "normalize_backward", normalize_backward);
}
