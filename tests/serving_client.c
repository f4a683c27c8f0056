/* A client that knows TensorFlow's C API and nothing of us: classifies one encoded image.

   serving_client MODEL_DIR IMAGE INPUT_OP OUTPUT_OP OUTPUT_INDEX
   prints the probabilities, one a line. The names are those that `saved_model_cli show` prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorflow/c/c_api.h>

static TF_Status *status;

static void check(const char *what) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s: %s\n", what, TF_Message(status));
    exit(1);
  }
}

static void unused(void *data, size_t length, void *arg) { (void)data, (void)length, (void)arg; }

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  status = TF_NewStatus();

  FILE *file = fopen(argv[2], "rb");
  if (!file) return 2;
  static char content[1 << 20];
  size_t length = fread(content, 1, sizeof content, file);
  fclose(file);

  const char *tags[] = {"serve"};
  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Session *session =
      TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1, graph, NULL, status);
  check("load");

  TF_TString image;
  TF_StringInit(&image);
  TF_StringCopy(&image, content, length);
  const int64_t one[] = {1};
  TF_Tensor *input = TF_NewTensor(TF_STRING, one, 1, &image, sizeof image, unused, NULL);
  TF_Output from = {TF_GraphOperationByName(graph, argv[3]), 0};
  TF_Output to = {TF_GraphOperationByName(graph, argv[4]), atoi(argv[5])};
  if (!from.oper || !to.oper) return 3;

  TF_Tensor *output = NULL;
  TF_SessionRun(session, NULL, &from, &input, 1, &to, &output, 1, NULL, 0, NULL, status);
  check("run");
  const float *probabilities = TF_TensorData(output);
  for (int64_t i = 0; i < TF_Dim(output, 1); ++i) printf("%.9g\n", probabilities[i]);
  return 0;
}
